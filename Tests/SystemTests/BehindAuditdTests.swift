import Foundation
import Testing

/// How the dispatcher comes by the kernel's events.
enum Position: String, CaseIterable, Sendable {
  case plugin = "as auditd's plugin"
  case binary = "as auditd's plugin with binary records"
  case socket = "at auditd's socket"
  case kernel = "from the kernel, without auditd"
}

/// Kernel events of a test user, with a plugin that never reads next to a healthy one.
@Suite(
  "On a host that audits", .serialized, .inTurn, .enabled(if: KernelAudit.isHere, KernelAudit.why))
struct BehindAuditdTests {
  static let isFull = ProcessInfo.processInfo.environment["AUDISPATCH_FULL"] != nil

  @Test(arguments: Position.allCases)
  func `the healthy plugin has every event`(position: Position) async throws {
    let times = try await KernelAudit.hold(seconds: 300) { audit in
      let alone = try await Self.measure(position, execs: 1000, withStuck: false, audit)
      return (alone, try await Self.measure(position, execs: 1000, withStuck: true, audit))
    }
    print("1,000 execs \(position.rawValue): \(times.0) without, \(times.1) with a stuck plugin")
  }

  @Test(
    .enabled(if: isFull, "takes minutes; AUDISPATCH_FULL=1 runs it"), arguments: Position.allCases)
  func `a stuck plugin makes 6,000 execs at most a tenth slower`(position: Position) async throws {
    var pairs: [(alone: Duration, beside: Duration)] = []
    for round in 0..<5 {
      pairs.append(
        try await KernelAudit.hold(seconds: 300) { audit in
          // Whatever drifts on the host must not count for one of the two.
          let first = try await Self.measure(
            position, execs: 6000, withStuck: round % 2 == 1, audit)
          let second = try await Self.measure(
            position, execs: 6000, withStuck: round % 2 == 0, audit)
          return round % 2 == 0 ? (first, second) : (second, first)
        })
    }
    let alone = pairs.map(\.alone).sorted()[2]
    let beside = pairs.map(\.beside).sorted()[2]
    print(
      "6,000 execs \(position.rawValue): \(alone) without, \(beside) with a stuck plugin", pairs)
    #expect(beside / alone <= 1.1)
  }

  /// auditd's own queue must not be what loses events when the host has much else to do.
  private static let settings = ["q_depth": "50000"]

  /// The time of so many execs; the healthy plugin must have each of them, whole.
  private static func measure(
    _ position: Position, execs: Int, withStuck: Bool, _ audit: KernelAudit
  ) async throws -> Duration {
    let scratch = try Scratch()
    let program = try await Programs.plugin()
    var plugins = [
      PluginFile("healthy", program, ["copy", scratch("healthy")], "q_depth = 100000")
    ]
    if withStuck { plugins.append(PluginFile("stuck", program, ["never", scratch("stuck")])) }
    let host = try Scratch()
    var auditd: RealAuditd?
    var daemon: Audispatchd?
    let files: DispatcherFiles
    switch position {
    case .plugin, .binary:
      files = try DispatcherFiles(
        scratch, plugins,
        settings: [
          "source = stdin", "plugin_dir = \(scratch("plugins.d"))",
          "runtime_dir = \(scratch("run"))", "stop_timeout = 0.2",
        ])
      let ours = PluginFile(
        "audispatch", Programs.product("audispatchd"), ["--config", files.configuration],
        format: position == .binary ? "binary" : "string")
      auditd = try await RealAuditd(
        [ours], settings: Self.settings, audit: audit, quiet: true, scratch: host)
    case .socket:
      let socket = PluginFile(
        "af_unix",
        text: """
          active = yes
          direction = out
          path = builtin_af_unix
          type = builtin
          args = 0640 \(host("events"))
          format = string

          """)
      auditd = try await RealAuditd(
        [socket], settings: Self.settings, audit: audit, quiet: true, scratch: host)
      try await eventually("auditd's socket") { host.exists("events") }
      daemon = try await Audispatchd(
        plugins, settings: ["stop_timeout = 0.2"], source: "unix:" + host("events"),
        scratch: scratch)
      files = daemon!.files
    case .kernel:
      try await audit.auditctl("-e", "1")
      daemon = try await Audispatchd(
        plugins, settings: ["stop_timeout = 0.2"], source: "kernel", scratch: scratch)
      files = daemon!.files
    }
    try await audit.auditExecs()
    try await eventually("a first record", detail: { daemon?.messages ?? auditd!.messages }) {
      try await audit.auditctl("-m", "are you there")
      return scratch.text("healthy").contains("are you there")
    }
    let time = try await audit.execs(execs)
    try await eventually(
      "all events at the healthy plugin",
      detail: {
        "\(Receipt.execs(scratch.lines("healthy"))) \((try? files.state()).map { "\($0)" } ?? "")"
      }
    ) { Receipt.execs(scratch.lines("healthy")) >= execs }
    let pid = try files.state().daemon.pid
    if withStuck { #expect(try files.state().plugin("stuck").delivered == 0) }
    try await auditd?.stop()
    daemon?.child.signal(SIGTERM)
    if let daemon { #expect(try await daemon.child.end() == .exited(0), "\(daemon.messages)") }
    try await eventually("the dispatcher ends") { kill(pid, 0) != 0 }
    try await audit.auditctl("-D", "-k", KernelAudit.key)
    #expect(Receipt.execs(scratch.lines("healthy")) == execs)
    let state = try files.writtenState()
    state.expectConserved(sent: state.plugins[0].received)
    #expect(state.source.kernel_lost == 0)
    #expect(state.source.malformed == 0)
    let healthy = try state.plugin("healthy")
    #expect(healthy.received == state.source.records)
    #expect(healthy.delivered == scratch.lines("healthy").count)
    return time
  }
}

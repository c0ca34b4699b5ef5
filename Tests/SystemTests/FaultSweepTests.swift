import Foundation
import Linux
import Testing

/// Each system call of the daemon made to fail once, in a scenario that is always the same.
///
/// Behind auditd's socket come some events for a lossless plugin that confirms and for one with
/// `spill`; then the daemon is stopped, and a successor gives the plugins the rest. Nothing of it may
/// crash; what was said to be safe arrives, once, in order; and the counts add up.
///
/// Left out are calls that only memory, time and signals are made of: a program that is out of
/// memory ends. So is `close`: where it fails the kernel has closed all the same, and strace has not.
@Suite(
  "A system call that fails", .inTurn,
  .enabled(if: Host.has("/usr/bin/strace"), "needs root and strace"))
struct FaultSweepTests {
  static let leftOut: Set = [
    "arch_prctl", "brk", "clock_gettime", "close", "clock_nanosleep", "execve", "exit",
    "exit_group",
    "futex", "getpid", "gettid", "madvise", "mmap", "mprotect", "mremap", "munmap", "nanosleep",
    "prlimit64", "restart_syscall", "rseq", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn",
    "rt_sigtimedwait", "sched_yield", "set_robust_list", "set_tid_address", "sigaltstack",
    "tgkill",
  ]

  /// AUDISPATCH_CALLS narrows the sweep.
  static func isTried(_ call: String) -> Bool {
    let given = ProcessInfo.processInfo.environment["AUDISPATCH_CALLS"]
    return given?.split(separator: " ").contains { $0 == call } ?? !leftOut.contains(call)
  }

  @Test func `ends the daemon or is got over, and takes no safe record`() async throws {
    let calls = try await Scenario().calls()
    #expect(calls.values.reduce(0, +) > 200)
    var faults: [Fault] = []
    for (name, count) in calls.sorted(by: { $0.key < $1.key }) where Self.isTried(name) {
      for error in ["EIO", "ENOSPC", "EINTR"] {
        for occurrence in 1...min(count, 60) {
          faults.append(Fault(call: name, error: error, occurrence: occurrence))
        }
      }
    }
    let all = faults.count
    var random = Seeded(Faults.seed)
    if !Faults.isFull {
      // Those of the spool's disk, and some of all.
      let disk = faults.filter { ["fdatasync", "fsync", "write"].contains($0.call) }
      faults = Array(
        disk.shuffled(using: &random).prefix(5) + faults.shuffled(using: &random).prefix(5))
    }
    await Faults.sweep(faults.shuffled(using: &random), of: all, "failing system calls") {
      await Scenario.outcome(of: $0)
    }
  }
}

struct Fault: CustomStringConvertible {
  var call: String
  var error: String
  /// Counted in each thread.
  var occurrence: Int

  var description: String { "\(call):error=\(error):when=\(occurrence)" }
}

/// One run of the scenario, in a folder of its own.
private struct Scenario {
  let scratch: Scratch
  let socket: EventSocket
  let events = TestEvent.stream(1..<101, records: 1, eoe: true)

  init() throws {
    scratch = try Scratch()
    socket = try EventSocket(scratch("events"))
  }

  private func start(_ prefix: [String]) async throws -> Audispatchd {
    let plugin = try await Programs.plugin()
    return try await Audispatchd(
      [
        PluginFile(
          "p", plugin, ["confirm:10", scratch("out")], "overflow_action = lossless",
          "confirm = yes", "restart_delay = 0.010", "restart_delay_max = 0.010"),
        PluginFile(
          "s", plugin, ["copy", scratch("spilled")], "overflow_action = spill",
          "restart_delay = 0.010", "restart_delay_max = 0.010"),
      ],
      settings: ["spool_dir = \(scratch("spool"))", "spool_reserve = 0", "stop_timeout = 1"],
      source: "unix:" + scratch("events"), scratch: scratch, prefix: prefix, awaitsControl: false)
  }

  /// How often each system call is done when none fails, in the thread that does it most.
  func calls() async throws -> [String: Int] {
    let daemon = try await start(["/usr/bin/strace", "-f", "-b", "execve", "-o", scratch("trace")])
    _ = try await play(daemon, within: .seconds(30))
    return Faults.calls(in: scratch.lines("trace"))
  }

  /// What became of the daemon, in a word or two.
  static func outcome(of fault: Fault) async -> String {
    do {
      return try await Scenario().run(fault)
    } catch {
      Issue.record("\(fault): \(error)")
      return "failed"
    }
  }

  private func run(_ fault: Fault) async throws -> String {
    let daemon = try await start([
      "/usr/bin/strace", "-f", "-b", "execve", "-qqq", "-o", "/dev/null", "-e",
      "trace=\(fault.call)", "-e", "inject=\(fault)",
    ])
    let (end, safe) = try await play(daemon, within: .seconds(4))
    let crashes: Set = [SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV]
    if case .signalled(let signal) = end {
      #expect(!crashes.contains(signal), "\(fault): \(daemon.messages)")
    }
    if end == .exited(0), scratch.exists("run/state.json") {
      try daemon.files.writtenState().expectConserved()
    }
    let successor = try await start([])
    try await eventually("the rest is given", within: .seconds(30), detail: { "\(fault)" }) {
      guard let state = successor.files.stateIfAny() else { return false }
      return state.spool?.state == "open"
        && state.plugins.allSatisfy { $0.pid > 0 && $0.queued < 10 }
    }
    successor.child.signal(SIGTERM)
    #expect(try await successor.child.end() == .exited(0), "\(fault): \(successor.messages)")
    try successor.files.writtenState().expectConserved()
    check(fault, safe)
    return switch end {
    case .exited(0): scratch.text("daemon.err").contains("memory only") ? "degraded" : "went on"
    case .exited: "ended"
    case .signalled: "killed"
    }
  }

  /// - Returns: how the daemon ended, and how many records it had said to be safe.
  private func play(_ daemon: Audispatchd, within limit: Duration) async throws -> (
    end: Child.End, safe: Int
  ) {
    let feeding = Task.detached { [socket, events] in
      var rest = events.records[...]
      while !Task.isCancelled {
        guard let connection = socket.accept() else {
          try? await Task.sleep(for: .milliseconds(5))
          continue
        }
        while !rest.isEmpty, !Task.isCancelled {
          let some = rest.prefix(10).map { $0 + "\n" }.joined()
          guard connection.write(some) else { break }
          rest = rest.dropFirst(10)
          try? await Task.sleep(for: .milliseconds(2))
        }
        while !Task.isCancelled, !connection.hasEnded {
          try? await Task.sleep(for: .milliseconds(5))
        }
      }
    }
    defer { feeding.cancel() }
    let clock = ContinuousClock()
    let latest = clock.now + limit
    var safe = 0
    while clock.now < latest, daemon.child.ended == nil {
      if let state = daemon.files.stateIfAny() {
        // A plugin whose file could not be read is not there, and nothing is kept for it.
        let isThere = state.plugins.contains { $0.name == "p" }
        safe = max(safe, isThere ? state.spool?.safe_records ?? 0 : 0)
        let isDone = state.plugins.count == 2 && state.plugins.allSatisfy { $0.delivered == 200 }
        if isDone, safe >= 200 { break }
      }
      try await Task.sleep(for: .milliseconds(20))
    }
    if daemon.child.ended == nil {
      for pid in children(of: daemon.child.pid) { kill(pid, SIGTERM) }
      if children(of: daemon.child.pid).isEmpty { daemon.child.signal(SIGTERM) }
    }
    return (try await daemon.child.end(within: .seconds(40)), safe)
  }

  private func children(of pid: pid_t) -> [pid_t] {
    String(decoding: contents("/proc/\(pid)/task/\(pid)/children"), as: UTF8.self)
      .split(separator: " ").compactMap { pid_t($0) }
      .filter {
        String(decoding: contents("/proc/\($0)/comm"), as: UTF8.self) == "audispatchd\n"
      }
  }

  /// What the confirming plugin got is what was sent, in order, and no safe record is missing.
  private func check(_ fault: Fault, _ safe: Int) {
    let sent = events.records
    var lines: [Int: String] = [:]
    var last = 0
    for line in scratch.lines("out") where !line.hasPrefix("- ") {
      let words = line.split(separator: " ", maxSplits: 1)
      guard words.count == 2, let number = Int(words[0]) else {
        Issue.record("\(fault): \(line)")
        continue
      }
      #expect(number <= last + 1, "\(fault): record \(last + 1) is left out")
      last = max(last, number)
      if number <= safe, let before = lines[number] { #expect(before == words[1], "\(fault)") }
      lines[number] = String(words[1])
    }
    #expect(last >= safe, "\(fault): \(safe) were safe, \(last) arrived")
    var place = 0
    for number in 1...max(1, last) {
      guard let line = lines[number], let found = sent[place...].firstIndex(of: line) else {
        if last > 0 { Issue.record("\(fault): record \(number) is not in its place") }
        return
      }
      place = found + 1
    }
  }
}

/// auditd's socket: whoever connects is written to.
private final class EventSocket: Sendable {
  private let listener: Descriptor

  init(_ path: String) throws { listener = try UnixSocket.listen(path, mode: 0o600) }

  func accept() -> Connection? {
    guard let client = UnixSocket.accept(listener.number) else { return nil }
    return Connection(client)
  }

  final class Connection: Sendable {
    private let descriptor: Descriptor

    init(_ descriptor: consuming Descriptor) {
      self.descriptor = descriptor
      self.descriptor.setNonblocking(false)
    }

    /// What is written is little: the socket holds it. `false` when nobody reads it any more.
    func write(_ text: String) -> Bool {
      let bytes = Array(text.utf8)
      let sent = unsafe bytes.withUnsafeBytes { unsafe UnixSocket.send(descriptor.number, $0) }
      return sent == .bytes(bytes.count)
    }

    /// The other side never writes: what can be read is its end.
    var hasEnded: Bool { DescriptorKind.isReadable(descriptor.number) }
  }
}

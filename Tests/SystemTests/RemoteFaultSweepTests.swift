import Foundation
import Glibc
import Testing

/// Each system call of the two programs between two hosts: made to fail once, or the last thing that the
/// program does.
///
/// What came to one host goes to the other, `lossless` at both. Whatever failed and whoever died of it,
/// all is stored there once and in order, and the sender knows it. What `FaultSweepTests` leaves out is
/// left out here, too.
@Suite(
  "A system call between two hosts that fails", .inTurn,
  .enabled(if: Host.has("/usr/bin/strace", "/usr/bin/unshare"), "needs root, strace and unshare"))
struct RemoteFaultSweepTests {
  @Test(arguments: ["audispatch-remote", "audispatch-receive"])
  func `loses nothing, and has nothing stored twice`(program: String) async throws {
    let counting = try TwoHosts(program)
    _ = try await counting.play(["-o", counting.trace])
    let calls = Faults.calls(in: split(String(decoding: contents(counting.trace), as: UTF8.self)))
    #expect(calls.values.reduce(0, +) > 100, "\(calls)")
    var faults: [String] = []
    for (call, count) in calls.sorted(by: { $0.key < $1.key }) where FaultSweepTests.isTried(call) {
      for what in ["error=EIO", "error=EINTR", "signal=KILL"] {
        faults += (1...min(count, 60)).map { "\(call):\(what):when=\($0)" }
      }
    }
    var random = Seeded(Faults.seed)
    let chosen = faults.shuffled(using: &random).prefix(Faults.isFull ? .max : 8)
    await Faults.sweep(chosen, of: faults.count, "failing system calls of \(program)") { fault in
      do {
        let call = fault.prefix { $0 != ":" }
        return try await TwoHosts(program).play([
          "-o", "/dev/null", "-e", "trace=\(call)", "-e", "inject=\(fault)",
        ])
      } catch {
        Issue.record("\(fault): \(error)")
        return "failed"
      }
    }
  }
}

/// One run of the scenario, in folders of its own.
private struct TwoHosts {
  let program: String
  let here: Scratch
  let there: Scratch
  let events = TestEvent.stream(1..<101, records: 1, eoe: true)

  init(_ program: String) throws {
    self.program = program
    here = try Scratch()
    there = try Scratch()
  }

  var trace: String { there("faulty/trace") }

  /// - Parameter tracing: strace's arguments for the first process of the program.
  /// - Returns: what became of that process.
  func play(_ tracing: [String]) async throws -> String {
    let wrapped = try wrapper(tracing)
    let isReceiver = program == "audispatch-receive"
    let host = try await CentralHost(there, prefix: isReceiver ? inPlace(of: program, wrapped) : [])
    // Its configuration is what counts.
    _ = try RemoteTests.plugin(here, host.port)
    let sender = try await Audispatchd(
      [
        PluginFile(
          "remote", isReceiver ? RemoteTests.program : wrapped,
          ["--config", here("remote.conf")], "confirm = yes", "overflow_action = lossless",
          "restart_delay = 0.010", "restart_delay_max = 0.010", "max_restarts = 1000")
      ], settings: ["spool_dir = \(here("spool"))", "spool_reserve = 0"], scratch: here)
    for start in stride(from: 0, to: events.records.count, by: 10) {
      try await sender.send(Array(events.records[start..<start + 10]))
      try await Task.sleep(for: .milliseconds(2))
    }
    let lines = events.records.filter { !$0.contains("type=EOE ") }
    try await eventually(
      "all is confirmed", within: .seconds(90), detail: { sender.messages + host.daemon.messages }
    ) { try sender.plugin("remote").queued == 0 && host.stored.count >= lines.count }
    let deaths = try sender.plugin("remote").restarts
    try await sender.finish()
    try await host.stop()
    #expect(difference(host.stored, lines) == nil, "\(tracing): \(host.daemon.messages)")
    let said = sender.messages + host.daemon.messages
    for signal in [SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV] {
      #expect(!said.contains("ended with signal \(signal)"), "\(tracing): \(said)")
    }
    return deaths > 0 || said.contains("audispatch-receive ended with") ? "died" : "went on"
  }

  /// A program that is ours, under strace when it is started first.
  private func wrapper(_ tracing: [String]) throws -> String {
    // The receiver is nobody.
    try there.folder("faulty")
    #expect(unsafe chmod(there("faulty"), 0o777) == 0)
    try there.write(tracing.joined(separator: " ") + "\n", to: "faulty/strace", mode: 0o644)
    try there.write(contents(Programs.source("faulty.sh")), to: "faulty.sh", mode: 0o755)
    try there.write(contents(Programs.product(program)), to: program, mode: 0o755)
    return try there.write(
      "#!/bin/sh\nexec \(there("faulty.sh")) \(there("faulty")) \(there(program)) \"$@\"\n",
      to: "wrapper", mode: 0o755)
  }

  /// Executes what follows where that program stands in the place of ours.
  private func inPlace(of program: String, _ wrapper: String) -> [String] {
    [
      "/usr/bin/unshare", "-m", "--propagation", "private", "/bin/sh", "-c",
      "mount --bind \(wrapper) \(Programs.product(program)) && exec \"$@\"", "sh",
    ]
  }
}

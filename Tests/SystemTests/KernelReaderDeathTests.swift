import Foundation
import Glibc
import Testing

/// The kernel's reader is killed with records in its hands. Who watches it counts what died with it.
@Suite("The kernel reader's death", .inTurn, .enabled(if: KernelAudit.isHere, KernelAudit.why))
struct KernelReaderDeathTests {
  /// Where the records are that are lost.
  enum Place: String, CaseIterable, Sendable { case socket, queue }

  @Test(arguments: Place.allCases)
  func `is accounted for`(place: Place) async throws {
    try await KernelAudit.hold { try await accountFor(place, $0) }
  }

  private func accountFor(_ place: Place, _ audit: KernelAudit) async throws {
    try await audit.auditctl("-e", "1")
    try await audit.auditctl("-b", "8192")
    let scratch = try Scratch()
    let daemon = try await Audispatchd(
      [PluginFile("p", try await Programs.plugin(), ["copy", scratch("out")])],
      source: "kernel", scratch: scratch)
    try audit.register(daemon.child.pid)
    try await eventually("it listens") { kernelReader(of: daemon) != nil }
    // The last that was sent has come, so that the reader has none in its hands. One that was sent
    // before the reader had told the kernel of itself never comes.
    var asked = 0
    try await eventually("it reads") {
      asked += 1
      try await audit.auditctl("-m", "first-\(asked).")
      let came: Void? = try? await eventually("it comes", within: .seconds(1)) {
        scratch.lines("out").contains { $0.contains("first-\(asked).") }
      }
      return came != nil
    }
    let before = try daemon.state().source
    let reader = try #require(kernelReader(of: daemon))
    // What it cannot read stays in its socket; what the daemon does not, in its queue.
    let stopped = place == .socket ? reader : daemon.child.pid
    kill(stopped, SIGSTOP)
    let count = place == .socket ? 200 : 4000
    let text = String(repeating: "x", count: 300)
    let sent = try await run(
      "/bin/sh",
      [
        "-ec",
        "i=0; while [ $i -lt \(count) ]; do auditctl -m lost-$i-\(text); i=$((i + 1)); done",
      ])
    try #require(sent.end == .exited(0))
    try await Task.sleep(for: .milliseconds(500))
    kill(reader, SIGKILL)
    kill(stopped, SIGCONT)
    try await eventually("the next one listens", within: .seconds(30)) {
      kernelReader(of: daemon).map { $0 != reader } ?? false
    }
    try await eventually("it is known what came between", detail: { daemon.messages }) {
      _ = try await run("/sbin/auditctl", ["-m", "last"])
      return daemon.messages.contains("between two readers of the kernel")
    }
    let after = try daemon.state().source
    let missing = count - scratch.lines("out").count { $0.contains("lost-") }
    #expect(missing > 0)
    switch place {
    case .socket: #expect(after.unread_events_max >= missing)
    case .queue:
      #expect(after.reader_queue_lost + after.unread_events_max >= missing)
      #expect(after.reader_queue_lost > 0)
      // Nothing is counted that came: of what is exact, no more than is missing, whoever sent it.
      #expect(after.reader_queue_lost <= largestGap(in: scratch.lines("out")))
    }
    #expect(before.reader_queue_lost == 0 && before.unread_events_max == 0)
    daemon.child.signal(SIGTERM)
    try await daemon.ended()
  }

  /// Serials that are missing one behind another: each of a record, as nothing but users' messages is
  /// asked for.
  private func largestGap(in lines: [String]) -> Int {
    let serials = lines.compactMap { line in
      line.firstMatch(of: /msg=audit\([0-9.]+:([0-9]+)\)/).flatMap { Int($0.1) }
    }
    return zip(serials, serials.dropFirst()).map { $1 - $0 - 1 }.max() ?? 0
  }

  private func kernelReader(of daemon: Audispatchd) -> pid_t? {
    let path = "/proc/\(daemon.child.pid)/task/\(daemon.child.pid)/children"
    let text = String(decoding: contents(path), as: UTF8.self)
    return text.split(separator: " ").compactMap { pid_t($0) }.first {
      String(decoding: contents("/proc/\($0)/comm"), as: UTF8.self) == "audispatch-kern\n"
    }
  }
}

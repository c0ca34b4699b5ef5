import Foundation
import Testing

/// Plugins that are killed and stopped all the time, while records come.
@Suite("Plugins killed and stopped at random", .inTurn, .enabled(if: Host.isRoot, "needs root"))
struct PluginKillTests {
  @Test func `a confirming plugin of a lossless queue misses nothing`() async throws {
    let kills = Faults.isFull ? 1000 : 25
    let scratch = try Scratch()
    let records = TestEvent.stream(1..<200_001, records: 1).records
    let daemon = try await Audispatchd(
      [
        PluginFile(
          "p", try await Programs.plugin(), ["confirm:20", scratch("out")],
          "overflow_action = lossless", "q_depth = 500", "confirm = yes", "restart_delay = 0.001",
          "restart_delay_max = 0.010", "held_delay = 0.010", "max_restarts = 100000"),
        PluginFile("other", try await Programs.plugin(), ["copy", scratch("other")]),
      ], settings: ["spool_dir = \(scratch("spool"))", "spool_reserve = 0"], scratch: scratch)
    let feeding = daemon.feed(records, at: 100, every: .milliseconds(20))
    defer { feeding.cancel() }
    var random = Seeded(Faults.seed)
    var done = 0
    while done < kills {
      try await random.pause(0...25)
      var pid: pid_t = 0
      try await eventually("it runs", detail: { daemon.messages }) {
        pid = try daemon.plugin("p").pid
        return pid > 0
      }
      if Bool.random(using: &random) {
        kill(pid, SIGSTOP)
        try await random.pause(0...25)
        kill(pid, Bool.random(using: &random) ? SIGCONT : SIGKILL)
      } else {
        kill(pid, SIGKILL)
      }
      done += 1
    }
    feeding.cancel()
    _ = try? await feeding.value
    let sent = try daemon.state().source.records
    try await eventually("all is given", within: .seconds(120)) {
      try daemon.plugin("p").queued < 20
    }
    let state = try await daemon.finish()
    var next = 1
    var repeats = 0
    for line in scratch.lines("out") {
      let words = line.split(separator: " ", maxSplits: 1)
      let number = try #require(Int(words[0]))
      try #require(number >= 1 && number <= next && number <= sent, "nothing is left out")
      #expect(String(words[1]) == records[number - 1])
      repeats += number < next ? 1 : 0
      next = max(next, number + 1)
    }
    #expect(next == sent + 1)
    #expect(try state.plugin("p").delivered == sent)
    #expect(difference(scratch.lines("other"), Array(records.prefix(sent))) == nil)
    #expect(!scratch.text("out.log").contains("OVERLAP"))
    Faults.report(
      "\(kills) kills and stops of a plugin: \(sent) records, \(sent + 1 - next) lost, \(repeats) again"
    )
  }
}

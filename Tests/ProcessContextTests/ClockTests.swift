import ProcessContext
import Testing

@Suite("Processes and a clock that is set")
struct ClockTests {
  @Test func `are known again when the clock is right`() {
    var tracked = Tracked()
    tracked.processes.add(7, parent: 1, "sh", "/usr/bin/sh", started: 9_950)
    // The clock was five seconds ahead when the system started, by which it is computed.
    tracked.processes.started += 5000
    tracked.second -= 5
    #expect(tracked.exec(7, parent: 1, "/usr/bin/sh").process?.ending == .gone)
    tracked.processes.started -= 5000
    tracked.second += 5
    let context = tracked.exec(7, parent: 1, "/usr/bin/sh")
    #expect(context.process?.ending == KnownProcess.Ending.none)
    #expect(context.process?.session == 7)
  }

  @Test func `have not all ended where nobody can say which there are`() {
    var tracked = Tracked()
    tracked.processes.add(7, parent: 1, "sh", "/usr/bin/sh")
    _ = tracked.exec(7, parent: 1, "/usr/bin/sh")
    tracked.processes.isBlind = true
    tracked.second += 3600
    let context = tracked.call(257, 7, parent: 1, "sh", "/usr/bin/sh")
    #expect(context.process?.ending == KnownProcess.Ending.none)
    tracked.processes.isBlind = false
    tracked.processes.made[7] = nil
    tracked.second += 3600
    #expect(tracked.call(257, 7, parent: 1, "sh", "/usr/bin/sh").process?.ending == .gone)
  }
}

import Foundation
import Glibc
import Linux
import Testing

/// What a daemon goes on with when its manager has kept a killed predecessor's memory and descriptors.
@Suite("A service that was killed", .inTurn, .enabled(if: Host.isRoot, "needs root"))
struct ServiceSuccessionTests {
  @Test func `goes on with the connection of a killed predecessor, and loses nothing`()
    async throws
  {
    let run = try ServiceRun()
    let plugin = PluginFile("p", try await Programs.plugin(), ["copy", run.scratch("out")])
    var daemon = try await run.daemon([plugin])
    let connection = try await run.accept()
    let events = TestEvent.stream(1..<501, records: 2, eoe: true)
    var sent = 0
    for round in 0..<5 {
      try await run.everythingIsKept()
      try ServiceRun.write(Array(events[sent..<(sent + 50)]), to: connection.number)
      sent += 50
      try await eventually("it is read", detail: { "\(round): \(daemon.messages)" }) {
        run.scratch.lines("out").count == sent * 3
      }
      // What comes now waits in the socket, and outlives the daemon there.
      daemon.child.signal(SIGSTOP)
      try ServiceRun.write(Array(events[sent..<(sent + 50)]), to: connection.number)
      sent += 50
      daemon.child.signal(SIGKILL)
      _ = try await daemon.child.end()
      // From a manager that lost the memory, too.
      if round == 3 { run.manager.loseAll(but: ["audit"]) }
      daemon = try await run.daemon([plugin], prefix: run.handover())
    }
    try await eventually("all is there") {
      run.scratch.lines("out").count == events.records.count
    }
    #expect(difference(run.scratch.lines("out"), events.records) == nil)
    // There was one connection, and it was given away once.
    #expect(!run.isConnectedAnew)
    #expect(run.manager.messages.count { $0.hasPrefix("FDSTORE=1\nFDNAME=audit\n") } == 1)
    #expect(run.manager.messages.contains("FDSTORE=1\nFDNAME=audit\nFDPOLL=0"))
    #expect(try daemon.state().source.malformed == 0)
    daemon.child.signal(SIGTERM)
    try await daemon.ended()
  }

  @Test(arguments: ["lines", "confirm:7:0"])
  func `goes on with what a predecessor had read, too, when it was killed at work`(
    _ manner: String
  ) async throws {
    let run = try ServiceRun()
    let plugin = PluginFile(
      "p", try await Programs.plugin(), [manner, run.scratch("out")],
      "overflow_action = lossless" + (manner == "lines" ? "" : "\nconfirm = yes"))
    let settings = ["spool_dir = \(run.scratch("spool"))", "spool_reserve = 0"]
    var daemon = try await run.daemon([plugin], settings: settings)
    let connection = try await run.accept()
    let events = TestEvent.stream(1..<2001, records: 2, eoe: true)
    for (round, begin) in stride(from: 0, to: events.count, by: 200).enumerated() {
      try await run.everythingIsKept()
      try ServiceRun.write(Array(events[begin..<(begin + 200)]), to: connection.number)
      // Sooner or later in its work.
      let seen = begin * 3 + round * 50
      try await eventually("some is there", detail: { "\(round): \(daemon.messages)" }) {
        run.scratch.lines("out").count >= seen
      }
      daemon.child.signal(SIGKILL)
      _ = try await daemon.child.end()
      daemon = try await run.daemon([plugin], settings: settings, prefix: run.handover())
    }
    try await eventually("all is there", detail: { daemon.messages }) {
      run.scratch.lines("out").count >= events.records.count
    }
    // A plugin that confirms writes the number in front.
    let lines = run.scratch.lines("out").map { line in
      line.firstRange(of: "type=").map { String(line[$0.lowerBound...]) } ?? line
    }
    #expect(difference(lines, events.records) == nil)
    let state = try daemon.state()
    state.expectConserved(sent: events.records.count)
    #expect(state.source.malformed == 0)
    try await run.everythingIsKept()
    daemon.child.signal(SIGTERM)
    try await daemon.ended()
    // Nothing is left to be kept but the connection.
    try await eventually("all is forgotten", detail: { "\(run.manager.stored)" }) {
      Array(run.manager.stored.keys) == ["audit"]
    }
  }

  @Test func `knows what was only in a predecessor's memory, when the connection has ended, too`()
    async throws
  {
    let run = try ServiceRun()
    let plugin = PluginFile(
      "p", try await Programs.plugin(), ["gate:" + run.scratch("gate"), run.scratch("out")],
      "q_depth = 20000")
    var daemon = try await run.daemon([plugin])
    let events = TestEvent.stream(1..<5001, records: 2, eoe: true)
    do {
      let connection = try await run.accept()
      connection.setNonblocking(false)
      try ServiceRun.write(events, to: connection.number)
      try await eventually("it is taken") {
        try daemon.plugin("p").received == events.records.count
      }
    }
    try await run.told("FDSTOREREMOVE=1\nFDNAME=audit")
    daemon.child.signal(SIGKILL)
    _ = try await daemon.child.end()
    daemon = try await run.daemon([plugin], prefix: run.handover())
    _ = try await run.accept()
    try run.scratch.write("", to: "gate")
    try await eventually("all has its fate", detail: { daemon.messages }) {
      try daemon.plugin("p").queued == 0
    }
    let state = try daemon.state()
    state.expectConserved(sent: events.records.count)
    let died = try #require(state.plugin("p").dropped["dispatcher_died"])
    let records = run.scratch.lines("out").filter { !$0.contains("type=DAEMON_ERR") }
    #expect(died > 0)
    #expect(died + records.count == events.records.count)
    daemon.child.signal(SIGTERM)
    try await daemon.ended()
  }

  /// auditd died within a record; the next one has said nothing yet.
  @Test func `takes another connection for another stream, whoever was killed in between`()
    async throws
  {
    let run = try ServiceRun()
    let plugin = PluginFile("p", try await Programs.plugin(), ["lines", run.scratch("out")])
    var daemon = try await run.daemon([plugin])
    let events = TestEvent.stream(1..<41)
    do {
      let connection = try await run.accept()
      try ServiceRun.write(Array(events[..<20]), to: connection.number)
      try Transfer.writeAll(connection.number, Array("type=SYSCALL msg=audit(1.0".utf8))
      try await eventually("it is read") { run.scratch.lines("out").count == 20 }
    }
    let connection = try await run.accept()
    try await eventually("both were given away") {
      run.manager.messages.count { $0.hasPrefix("FDSTORE=1\nFDNAME=audit\n") } == 2
    }
    daemon.child.signal(SIGKILL)
    _ = try await daemon.child.end()
    daemon = try await run.daemon([plugin], prefix: run.handover())
    try ServiceRun.write(Array(events[20...]), to: connection.number)
    try await eventually("all is there", detail: { daemon.messages }) {
      run.scratch.lines("out").count == 40
    }
    #expect(difference(run.scratch.lines("out"), events.records) == nil)
    #expect(try daemon.state().source.malformed == 1)
    daemon.child.signal(SIGTERM)
    try await daemon.ended()
  }
}

import Foundation
import Linux
import Testing

/// What becomes of the daemon when nobody goes on for it.
@Suite("The end behind auditd 4.2", .inTurn, .enabled(if: Host.isRoot, "needs root"))
struct FrontEndTests {
  private func auditd(
    _ scratch: Scratch, wait: String = "10", _ settings: String..., program: String? = nil,
    name: String = "auditd", awaitsControl: Bool = true
  ) async throws -> AuditdFour {
    try await AuditdFour(
      [PluginFile("p", try await Programs.plugin(), ["lines", scratch("out")])],
      settings: ["reload_wait = \(wait)"] + settings, scratch: scratch,
      program: program ?? Programs.product("audispatchd"), name: name,
      awaitsControl: awaitsControl)
  }

  private func written(_ auditd: AuditdFour, _ sent: [String]) throws {
    #expect(difference(auditd.files.scratch.lines("out"), sent) == nil)
    let state = try auditd.files.writtenState()
    state.expectConserved(sent: sent.count)
    #expect(try state.plugin("p").delivered == sent.count)
    #expect(!auditd.files.scratch.exists("run/keeper.sock"))
  }

  @Test func `comes at once behind auditd's farewell, when everything is delivered`() async throws {
    let scratch = try Scratch()
    let auditd = try await auditd(scratch, wait: "3600")
    let events = TestEvent.stream(0..<200)
    let farewell = "node=n type=DAEMON_END msg=audit(1700000001.000:7): op=terminate res=success"
    try auditd.send(events)
    try auditd.send(farewell + "\n")
    try await eventually("it has come") { try auditd.files.state().source.records == 201 }
    try await auditd.stopAlone(within: .seconds(20))
    try written(auditd, events.records + [farewell])
  }

  @Test func `comes when nobody has brought an input for reload_wait`() async throws {
    let scratch = try Scratch()
    let auditd = try await auditd(scratch, wait: "1")
    let events = TestEvent.stream(0..<200)
    try auditd.send(events)
    let begin = ContinuousClock().now
    try await auditd.stopAlone(within: .seconds(20))
    #expect(ContinuousClock().now - begin >= .seconds(1))
    try written(auditd, events.records)
    #expect(auditd.messages.contains("nobody has brought an input for 1.0 s"))
  }

  @Test(arguments: ["keeper", "worker"])
  func `comes when that is asked to stop, with a status for the front`(role: String) async throws {
    let scratch = try Scratch()
    let auditd = try await auditd(scratch)
    let events = TestEvent.stream(0..<200)
    try auditd.send(events)
    try await eventually("it has come") { try auditd.files.state().source.records == 200 }
    let front = try #require(auditd.front)
    kill(role == "keeper" ? try #require(auditd.keeper) : try auditd.worker(), SIGTERM)
    // Nobody waits for it here: that is auditd's.
    try await eventually("the front has ended", detail: { auditd.messages }) {
      String(decoding: contents("/proc/\(front)/stat"), as: UTF8.self).contains(") Z ")
    }
    try written(auditd, events.records)
    try await auditd.stop()
  }

  @Test func `comes by itself where the keeper hangs, and another one goes on`() async throws {
    let scratch = try Scratch()
    let auditd = try await auditd(scratch, wait: "0.5")
    let events = TestEvent.stream(0..<200)
    try auditd.send(Array(events[..<100]))
    try await eventually("it has come") { try auditd.files.state().source.records == 100 }
    let worker = try auditd.worker()
    kill(try #require(auditd.keeper), SIGSTOP)
    #expect(try await auditd.reload() <= 100)
    try auditd.send(Array(events[100...]))
    try await eventually("all", detail: { auditd.messages }) {
      scratch.lines("out").count >= 200
    }
    #expect(difference(scratch.lines("out"), events.records) == nil)
    // It lets others ask when its plugins run.
    try await eventually("another one says who it is", detail: { auditd.messages }) {
      (try? auditd.worker()).map { $0 != worker } ?? false
    }
    try await auditd.stop()
  }

  @Test func `does not come where the keeper is slow and auditd need not wait`() async throws {
    let scratch = try Scratch()
    let auditd = try await auditd(scratch)
    let events = TestEvent.stream(0..<200)
    try auditd.send(Array(events[..<100]))
    try await eventually("it has come") { try auditd.files.state().source.records == 100 }
    let (worker, keeper) = (try auditd.worker(), try #require(auditd.keeper))
    kill(keeper, SIGSTOP)
    #expect(try await auditd.reload() <= 100)
    try await Task.sleep(for: .milliseconds(500))
    kill(keeper, SIGCONT)
    try auditd.send(Array(events[100...]))
    try await eventually("all", detail: { auditd.messages }) { scratch.lines("out").count >= 200 }
    #expect(difference(scratch.lines("out"), events.records) == nil)
    #expect(try auditd.worker() == worker && auditd.keeper == keeper)
    #expect(!auditd.messages.contains("waiting for it to end"))
    try await auditd.stop()
  }

  @Test func `comes where the keeper hangs and auditd would have to wait`() async throws {
    let scratch = try Scratch()
    let auditd = try await auditd(scratch, wait: "0.5")
    let worker = try auditd.worker()
    kill(try #require(auditd.keeper), SIGSTOP)
    try await auditd.reload()
    // More than its socket holds.
    let events = TestEvent.stream(0..<1000)
    let begin = ContinuousClock.now
    try auditd.send(events)
    try await eventually("another one has it", detail: { auditd.messages }) {
      auditd.messages.contains("waiting for it to end")
    }
    #expect(ContinuousClock.now - begin < .milliseconds(900))
    try await eventually("all", detail: { auditd.messages }) { scratch.lines("out").count >= 1000 }
    #expect(difference(scratch.lines("out"), events.records) == nil)
    try await eventually("another one says who it is", detail: { auditd.messages }) {
      (try? auditd.worker()).map { $0 != worker } ?? false
    }
    try await auditd.stop()
  }

  @Test func `comes at once for one with another executable, which goes on`() async throws {
    let scratch = try Scratch()
    let program = scratch("audispatchd")
    try FileManager.default.copyItem(atPath: Programs.product("audispatchd"), toPath: program)
    let auditd = try await auditd(scratch, wait: "3600", program: program)
    let events = TestEvent.stream(0..<200)
    try auditd.send(Array(events[..<100]))
    try await eventually("it has come") { try auditd.files.state().source.records == 100 }
    try FileManager.default.copyItem(atPath: program, toPath: program + ".new")
    #expect(unsafe rename(program + ".new", program) == 0)
    try await auditd.reload()
    try auditd.send(Array(events[100...]))
    try await eventually("all", detail: { auditd.messages }) { scratch.lines("out").count >= 200 }
    #expect(difference(scratch.lines("out"), events.records) == nil)
    #expect(auditd.messages.contains("its executable was replaced"))
    try await auditd.stop()
  }

  @Test func `does not come for a second daemon, which waits`() async throws {
    let scratch = try Scratch()
    let first = try await auditd(scratch)
    let worker = try first.worker()
    let second = try await auditd(scratch, name: "second", awaitsControl: false)
    try await eventually("it waits", detail: { first.messages }) {
      first.messages.contains("another one is in front of it")
        && first.messages.contains("waiting for it to end")
    }
    let events = TestEvent.stream(0..<100)
    try first.send(events)
    try await eventually("all", detail: { first.messages }) { scratch.lines("out").count >= 100 }
    #expect(difference(scratch.lines("out"), events.records) == nil)
    #expect(try first.worker() == worker)
    try await second.stop()
    #expect(try first.worker() == worker)
    try await first.stop()
  }

  @Test func `of keeper and worker at once has the front start others`() async throws {
    let scratch = try Scratch()
    let auditd = try await auditd(scratch)
    let events = TestEvent.stream(0..<200)
    try auditd.send(Array(events[..<100]))
    try await eventually("all", detail: { auditd.messages }) { scratch.lines("out").count >= 100 }
    let front = auditd.front
    let worker = try auditd.worker()
    kill(try #require(auditd.keeper), SIGKILL)
    kill(worker, SIGKILL)
    try auditd.send(Array(events[100...]))
    try await eventually("all", detail: { auditd.messages }) { scratch.lines("out").count >= 200 }
    #expect(difference(scratch.lines("out"), events.records) == nil)
    #expect(auditd.front == front && auditd.reloads == 0)
    try await auditd.stop()
  }

  @Test func `of a first worker that cannot start is the front's`() async throws {
    let scratch = try Scratch()
    let auditd = try await auditd(scratch, "nonsense = yes", awaitsControl: false)
    try await eventually("it has ended", detail: { auditd.messages }) {
      guard let front = auditd.front else { return false }
      return String(decoding: contents("/proc/\(front)/stat"), as: UTF8.self).contains(") Z ")
    }
    #expect(auditd.messages.contains("the configuration cannot be used"))
    try await auditd.stop()
  }
}

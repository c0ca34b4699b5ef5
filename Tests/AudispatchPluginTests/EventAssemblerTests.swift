import AuditRecord
import Testing

@testable import AudispatchPlugin

@Suite("The extent of an event")
struct EventAssemblerTests {
  static let cases: [(String, String, [String])] = [
    ("it ends with its EOE", "SYSCALL 1,PATH 1,EOE 1", ["1: SYSCALL PATH EOE (end)"]),
    (
      "events interleave", "SYSCALL 1,SYSCALL 2,PATH 1,PATH 2,EOE 2,EOE 1",
      ["2: SYSCALL PATH EOE (end)", "1: SYSCALL PATH EOE (end)"]
    ),
    (
      "messages of user space and of auditd are events of their own",
      "USER_AUTH 1,DAEMON_START 2,KERNEL 3,ANOM_LOGIN_TIME 4,SYSTEM_BOOT 5,USER 6",
      [
        "1: USER_AUTH (single)", "2: DAEMON_START (single)", "3: KERNEL (single)",
        "4: ANOM_LOGIN_TIME (single)", "5: SYSTEM_BOOT (single)", "6: USER (single)",
      ]
    ),
    (
      "the same message twice is two events", "USER 1,USER 1",
      ["1: USER (single)", "1: USER (single)"]
    ),
    (
      "without any EOE the PROCTITLE ends it", "SYSCALL 1,PROCTITLE 1,SYSCALL 2,PROCTITLE 2,USER 3",
      ["1: SYSCALL PROCTITLE (proctitle)", "2: SYSCALL PROCTITLE (proctitle)", "3: USER (single)"]
    ),
    (
      "an EOE is waited for even at the start", "SYSCALL 1,PROCTITLE 1,EOE 1",
      ["1: SYSCALL PROCTITLE EOE (end)"]
    ),
    (
      "once a node has sent an EOE, its PROCTITLE ends nothing",
      "SYSCALL 1,EOE 1,SYSCALL 2,PROCTITLE 2,USER 3,EOE 2",
      ["1: SYSCALL EOE (end)", "3: USER (single)", "2: SYSCALL PROCTITLE EOE (end)"]
    ),
    (
      "that is so for each node by itself",
      "a/SYSCALL 1,a/EOE 1,b/SYSCALL 2,b/PROCTITLE 2,a/SYSCALL 3,a/PROCTITLE 3,b/USER 4,a/EOE 3",
      [
        "a 1: SYSCALL EOE (end)", "b 2: SYSCALL PROCTITLE (proctitle)", "b 4: USER (single)",
        "a 3: SYSCALL PROCTITLE EOE (end)",
      ]
    ),
    (
      "the same stamp of two nodes is two events",
      "a/SYSCALL 1,b/SYSCALL 1,SYSCALL 1,b/EOE 1,a/EOE 1",
      ["b 1: SYSCALL EOE (end)", "a 1: SYSCALL EOE (end)", "1: SYSCALL (endOfInput)"]
    ),
    (
      "the same serial at another time is another event", "SYSCALL 1 0,SYSCALL 1 1,EOE 1 0,EOE 1 1",
      ["1: SYSCALL EOE (end)", "1: SYSCALL EOE (end)"]
    ),
    (
      "a configuration change and its system call are one event",
      "CONFIG_CHANGE 1,SYSCALL 1,PROCTITLE 1,EOE 1",
      ["1: CONFIG_CHANGE SYSCALL PROCTITLE EOE (end)"]
    ),
    (
      "so are a login and its system call", "LOGIN 1,SYSCALL 1,EOE 1",
      ["1: LOGIN SYSCALL EOE (end)"]
    ),
    (
      "a type that libaudit does not know belongs to its event", "FROB 1,SYSCALL 1,EOE 1",
      ["1: FROB SYSCALL EOE (end)"]
    ),
    (
      "a record behind the end is a continuation", "SYSCALL 1,EOE 1,PATH 1",
      ["1: SYSCALL EOE (end)", "1: PATH (late) continued"]
    ),
    (
      "a record behind a PROCTITLE begins a continuation",
      "SYSCALL 1,PROCTITLE 1,USER 2,PATH 1,CWD 1",
      [
        "1: SYSCALL PROCTITLE (proctitle)", "2: USER (single)",
        "1: PATH CWD (endOfInput) continued",
      ]
    ),
    (
      "two seconds in the records end what is quiet", "SYSCALL 1 0,SYSCALL 2 1999,SYSCALL 3 4001",
      ["1: SYSCALL (time)", "2: SYSCALL (time)", "3: SYSCALL (endOfInput)"]
    ),
    (
      "a system call that began long ago is not cut",
      "USER 1 9000,SYSCALL 2 0,USER 3 9500,PATH 2 0,USER 4 10100,EOE 2 0",
      ["1: USER (single)", "3: USER (single)", "4: USER (single)", "2: SYSCALL PATH EOE (end)"]
    ),
    (
      "another node's time ends nothing", "a/SYSCALL 1 0,b/USER 1 9000,a/EOE 1 0",
      ["b 1: USER (single)", "a 1: SYSCALL EOE (end)"]
    ),
    (
      "what is open at the end of input is given out in order", "SYSCALL 2,SYSCALL 1",
      ["2: SYSCALL (endOfInput)", "1: SYSCALL (endOfInput)"]
    ),
  ]

  @Test(arguments: cases)
  func `follows from its records`(_ name: String, _ input: String, _ expected: [String]) {
    #expect(assemble(lines(input)).map(\.sketch) == expected, "\(name)")
  }

  @Test func `an EOE without an event is counted`() {
    var assembler = EventAssembler()
    let events = assemble(lines("EOE 1,SYSCALL 2,EOE 2,EOE 2"), &assembler)
    #expect(events.map(\.sketch) == ["2: SYSCALL EOE (end)"])
    #expect(assembler.strayEnds == 2)
  }

  @Test func `two quiet seconds by the clock end it`() {
    var assembler = EventAssembler()
    #expect(assemble(lines("SYSCALL 1"), &assembler, at: .seconds(5), finish: false).isEmpty)
    #expect(assembler.expire(at: .milliseconds(6999)) == .seconds(7))
    #expect(assembler.next() == nil)
    #expect(assembler.expire(at: .seconds(7)) == nil)
    #expect(assembler.next()?.sketch == "1: SYSCALL (time)")
  }

  @Test func `a record renews the wait`() {
    var assembler = EventAssembler()
    _ = assemble(lines("SYSCALL 1"), &assembler, at: .seconds(5), finish: false)
    _ = assemble(lines("PATH 1"), &assembler, at: .seconds(6), finish: false)
    #expect(assembler.expire(at: .seconds(7)) == .seconds(8))
  }

  @Test func `behind a PROCTITLE the wait for an EOE is short`() {
    var assembler = EventAssembler()
    _ = assemble(lines("SYSCALL 1,PROCTITLE 1"), &assembler, at: .seconds(5), finish: false)
    #expect(assembler.expire(at: .seconds(5)) == .milliseconds(5100))
    #expect(assembler.expire(at: .milliseconds(5100)) == nil)
    #expect(assembler.next()?.sketch == "1: SYSCALL PROCTITLE (proctitle)")
  }

  @Test func `too many open events give out the oldest`() {
    var limits = EventAssembler.Limits()
    limits.events = 2
    var assembler = EventAssembler(limits: limits)
    let events = assemble(lines("SYSCALL 1,SYSCALL 2,SYSCALL 3,EOE 1,EOE 3,EOE 2"), &assembler)
    #expect(
      events.map(\.sketch) == [
        "1: SYSCALL (bound)", "3: SYSCALL EOE (end)", "2: SYSCALL EOE (end)",
      ])
    #expect(assembler.strayEnds == 1)
  }

  @Test func `too many open bytes give out the oldest`() {
    var limits = EventAssembler.Limits()
    limits.bytes = line("SYSCALL 1").count * 2
    var assembler = EventAssembler(limits: limits)
    let events = assemble(lines("SYSCALL 1,SYSCALL 2,SYSCALL 3"), &assembler, finish: false)
    #expect(events.map(\.sketch) == ["1: SYSCALL (bound)"])
    #expect(assembler.openEvents == 2)
  }

  @Test func `an event that is too big is given out in parts`() {
    var limits = EventAssembler.Limits()
    limits.eventBytes = line("PATH 1").count * 2
    var assembler = EventAssembler(limits: limits)
    let events = assemble(lines("SYSCALL 1,PATH 1,PATH 1,PATH 1,EOE 1"), &assembler)
    #expect(
      events.map(\.sketch) == ["1: SYSCALL PATH (bound)", "1: PATH PATH EOE (end) continued"]
        || events.map(\.sketch) == [
          "1: SYSCALL PATH PATH (bound)", "1: PATH EOE (end) continued",
        ])
  }

  @Test func `more nodes than are kept lose no record`() {
    let many = (0..<5000).map { "n\($0)/SYSCALL 1" }.joined(separator: ",")
    let events = assemble(lines(many))
    #expect(events.count == 5000)
    #expect(Set(events.map(\.sketch.description)).count >= 5000)
  }
}

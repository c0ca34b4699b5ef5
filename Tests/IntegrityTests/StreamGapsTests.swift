import Testing

@testable import audispatch_integrity

@Suite("What a stream may lack")
struct StreamGapsTests {
  private func gaps(_ lines: String...) -> [StreamGap] {
    var gaps = StreamGaps(keys: [Array("ours".utf8)])
    for event in Recorded.events(lines.joined(separator: "\n")) { gaps.note(event) }
    return gaps.all.filter { !$0.reason.hasPrefix("the stream ") }
  }

  private func user(_ second: Int, _ serial: Int) -> String {
    "type=USER_END msg=audit(\(second).000:\(serial)): pid=1 uid=0 auid=0 ses=1 msg='x'"
  }

  private func change(_ second: Int, _ serial: Int, _ text: String) -> String {
    "type=CONFIG_CHANGE msg=audit(\(second).000:\(serial)): auid=0 ses=1 \(text) res=1"
  }

  @Test func `is nothing where every number is there`() {
    #expect(gaps(user(10, 7), user(11, 8), user(12, 9)).isEmpty)
  }

  @Test func `is what has a number and did not come`() {
    #expect(
      gaps(user(10, 7), user(12, 9)) == [
        StreamGap(from: 9950, to: 12_000, reason: "1 event is missing")
      ])
  }

  @Test func `is nothing any more when that comes late`() {
    #expect(gaps(user(10, 7), user(12, 10), user(11, 9), user(11, 8)).isEmpty)
  }

  @Test func `is the time until the host started anew`() {
    #expect(
      gaps(user(10, 700_000), user(60, 3)).map(\.reason) == ["the host started anew"])
  }

  @Test func `is the time without a daemon`() {
    let found = gaps(
      user(10, 7), "type=DAEMON_END msg=audit(20.000:77): op=terminate auid=0 res=success",
      "type=DAEMON_START msg=audit(30.000:55): op=start auid=0 res=success", user(31, 8))
    #expect(
      found == [StreamGap(from: 20_000, to: 30_000, reason: "the audit daemon did not run")])
  }

  @Test func `is what the dispatcher dropped`() {
    let found = gaps(
      user(10, 7),
      "type=DAEMON_ERR msg=audit(20.000:1): op=queue-drop plugin=integrity dropped=3 res=failed",
      user(31, 8))
    #expect(
      found == [StreamGap(from: 10_000, to: 20_000, reason: "the dispatcher dropped records")])
  }

  @Test func `is the time in which audit was disabled`() {
    let found = gaps(
      user(10, 7), change(20, 8, "op=set audit_enabled=0 old=1"),
      change(30, 9, "op=set audit_enabled=1 old=0"))
    #expect(found == [StreamGap(from: 20_000, to: 30_000, reason: "audit was disabled")])
  }

  @Test func `is the time until as many rules were added as were removed`() {
    let found = gaps(
      user(10, 7), change(20, 8, "op=remove_rule key=\"ours\" list=4"),
      change(21, 9, "op=remove_rule key=\"ours\" list=4"),
      change(22, 10, "op=add_rule key=\"ours\" list=4"),
      change(30, 11, "op=add_rule key=\"ours\" list=4"))
    #expect(
      found == [
        StreamGap(from: 20_000, to: 30_000, reason: "a rule with the key ours was removed")
      ])
  }

  @Test func `is the time until the kernel says that all rules are there`() {
    var gaps = StreamGaps(keys: [Array("ours".utf8)])
    for line in [user(10, 7), change(20, 8, "op=remove_rule key=\"ours\" list=4")] {
      for event in Recorded.events(line) { gaps.note(event) }
    }
    gaps.rulesAreThere(Array("theirs".utf8), at: 25_000)
    #expect(gaps.isOpen)
    gaps.rulesAreThere(Array("ours".utf8), at: 30_000)
    #expect(!gaps.isOpen && gaps.uncertainUpTo == 30_000)
  }

  @Test func `is all before a rule that was added, and nothing about others' rules`() {
    #expect(
      gaps(user(10, 7), change(20, 8, "op=add_rule key=\"ours\" list=4")).map(\.to) == [20_000])
    #expect(gaps(user(10, 7), change(20, 8, "op=remove_rule key=\"theirs\" list=4")).isEmpty)
  }

  @Test func `is all that was made before the first record came, of a stream as it is made`() {
    var gaps = StreamGaps(keys: [])
    #expect(gaps.uncertainUpTo == nil && !gaps.hasRecords)
    // The dispatcher's own say nothing of the kernel.
    let lines = [
      "type=DAEMON_START msg=audit(9.000:55): op=start auid=0 res=success", user(10, 7),
      user(12, 9),
    ]
    for (line, arrival) in zip(lines, [9500, 10_500, 12_500] as [Int64]) {
      for event in Recorded.events(line) { gaps.note(event, at: arrival) }
      #expect((gaps.begin == nil) == (arrival == 9500))
    }
    #expect(
      gaps.all.filter { $0.to != .max } == [
        StreamGap(from: .min, to: 10_500, reason: "the stream begins later"),
        StreamGap(from: 9950, to: 12_500, reason: "1 event is missing"),
      ])
    #expect(gaps.uncertainUpTo == 12_500)
    #expect(gaps.newestReason == "1 event is missing")
  }

  @Test func `is the moment in which io_uring did something to a file that is not named`() {
    func operation(_ second: Int, _ serial: Int, _ key: String, _ success: String = "yes") -> String
    {
      "type=URINGOP msg=audit(\(second).000:\(serial)): uring_op=18 success=\(success) exit=0 items=0 "
        + "ppid=1 pid=2 uid=0 gid=0 euid=0 suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 key=\"\(key)\""
    }
    #expect(
      gaps(
        operation(10, 7, "theirs"), operation(11, 8, "ours", "no"), operation(12, 9, "ours"),
        operation(13, 10, "ours"), operation(20, 11, "ours")) == [
          StreamGap(from: 12_000, to: 13_000, reason: "a record of io_uring names no file"),
          StreamGap(from: 20_000, to: 20_000, reason: "a record of io_uring names no file"),
        ])
  }

  /// What of an event came, beside its call.
  @Test(arguments: [
    (2, ["a", "b"], "yes", 2, false), (2, ["a"], "yes", 2, true), (3, [], "yes", 82, true),
    (2, ["a"], "no", 2, false), (2, ["a"], "yes", 59, false), (0, [], "yes", 16, false),
    (2, ["a"], "yes", 240, false),
  ])
  func `is what an event was about of which records are missing`(
    items: Int, paths: [String], success: String, call: Int, isLacking: Bool
  ) {
    let record = Recorded.call(
      call, "a0=0 a1=1 a2=0", second: 10, serial: 8,
      paths: paths.map { Recorded.path("\"\($0)\"", inode: 60, "NORMAL") }, success: success
    ).replacing("items=\(paths.count)", with: "items=\(items)")
    let gap = StreamGap(
      from: 1_000_000_010_000, to: 1_000_000_010_050, reason: StreamGaps.incomplete)
    #expect(gaps(user(1_000_000_009, 7), record) == (isLacking ? [gap] : []))
  }

  @Test func `is what an event was about of which the call is missing`() {
    let record = Recorded.call(
      2, "a0=0 a1=1", second: 10, serial: 8, paths: [Recorded.path("\"a\"", inode: 60, "NORMAL")]
    ).split(separator: "\n").dropFirst().joined(separator: "\n")
    #expect(gaps(user(1_000_000_009, 7), record).map(\.reason) == [StreamGaps.incomplete])
  }

  @Test func `lasts until a call that took long was over`() {
    // What is missing was made between the record before and the one behind, whose time is earlier.
    #expect(
      gaps(user(10, 7), user(4, 9), user(12, 10)) == [
        StreamGap(from: 3950, to: 12_000, reason: "1 event is missing")
      ])
  }

  @Test func `is everything where nothing came`() {
    #expect(
      StreamGaps(keys: []).all == [
        StreamGap(from: .min, to: .max, reason: "the stream has no record")
      ])
  }
}

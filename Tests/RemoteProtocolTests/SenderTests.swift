import RemoteProtocol
import Testing

@Suite("A sender") struct SenderTests {
  @Test func `connects before there is a record`() {
    var it = Clocked()
    #expect(it.step() == .connect(server: 0))
    #expect(it.step() == nil)
  }

  @Test func `sends one record, and as many as the window has room for once that is stored`() throws
  {
    var it = Clocked(window: 3)
    it.connect()
    let first = it.send()
    #expect(!it.sender.hasRoom)
    #expect(try it.answer(first) == 1)
    _ = it.send(3)
    #expect(!it.sender.hasRoom && it.sender.outstanding == 3)
  }

  @Test func `numbers what it sends without a gap, over connections too`() throws {
    var it = Clocked()
    it.connect()
    #expect(it.send() == [1])
    try it.answer([1])
    #expect(it.send(2) == [2, 3])
    it.pass(.seconds(2))
    _ = it.lose()
    it.connect()
    #expect(it.send() == [4])
  }

  @Test func `takes back what was on its way when a connection is lost`() throws {
    var it = Clocked()
    it.connect()
    try it.answer(it.send())
    let numbers = it.send(5)
    try it.answer(Array(numbers[..<2]))
    #expect(it.lose().again == 3)
    #expect(it.sender.outstanding == 0)
  }

  @Test func `comes again at once where a connection was of use, and rests where it was not`()
    throws
  {
    var it = Clocked()
    it.connect()
    try it.answer(it.send())
    it.pass(.seconds(2))
    #expect(it.lose().delay == .zero)
    #expect(it.step() == .connect(server: 0))
    #expect(it.lose(.unreachable("no")).delay >= .seconds(1))
    #expect(it.step() == nil)
  }

  @Test func `is not in a hurry where each connection is lost as soon as it is there`() throws {
    var it = Clocked()
    for round in 1...5 {
      it.connect()
      try it.answer(it.send())
      #expect(it.lose().delay >= .seconds(min(1 << (round - 1), 30)))
      _ = it.passToDeadline()
    }
  }

  @Test func `comes back after an idle server has closed, without a record (S3, S11)`() {
    var it = Clocked()
    for loss in [Loss.closed, .broken("Connection reset by peer"), .closed, .closed] {
      it.connect()
      it.pass(.seconds(3))
      #expect(it.lose(loss).delay == .zero)
    }
    #expect(it.step() == .connect(server: 0))
  }

  @Test func `asks a server that was silent for the heartbeat's time, ten times (S2)`() throws {
    var it = Clocked(heartbeat: .seconds(30))
    it.connect()
    for round in 0..<10 {
      #expect(it.step() == nil)
      #expect(it.passToDeadline() == .seconds(30))
      #expect(it.step() == .heartbeat(UInt32(round + 1)))
      #expect(it.step() == nil)
      #expect(try it.answer([UInt32(round + 1)]) == 0)
    }
  }

  @Test func `gives up a server that does not answer a heartbeat, and comes again`() {
    var it = Clocked(heartbeat: .seconds(30))
    it.connect()
    _ = it.passToDeadline()
    _ = it.step()
    #expect(it.passToDeadline() == .seconds(5))
    #expect(it.step() == .giveUp(.silent(.seconds(5))))
    #expect(it.lose(.silent(.seconds(5))).again == 0)
  }

  @Test func `gives up a server that never answers, ever more rarely, but never for good (S12)`() {
    var it = Clocked()
    var rests: [Duration] = []
    for round in 1...8 {
      it.connect()
      _ = it.send()
      #expect(it.passToDeadline() == .seconds(5))
      #expect(it.step() == .giveUp(.silent(.seconds(5))))
      let outlook = it.lose(.silent(.seconds(5)))
      #expect(outlook.again == 1)
      #expect(outlook.isExhausted == (round == 3))
      rests.append(outlook.delay)
      _ = it.passToDeadline()
    }
    for (rest, least) in zip(rests, [1, 2, 4, 8, 16, 30, 30, 30]) {
      #expect(rest >= .seconds(least) && rest < .seconds(least) * 1.25)
    }
  }

  @Test func `does not give up a server that answers slowly but steadily`() throws {
    var it = Clocked()
    it.connect()
    try it.answer(it.send())
    for number in it.send(20) {
      it.pass(.seconds(4))
      #expect(it.step() == nil)
      try it.answer([number])
    }
  }

  @Test func `adds something else to its rests on each host`() {
    let rests = (UInt64(0)..<20).map { seed -> Duration in
      var it = Clocked(seed: seed)
      _ = it.step()
      return it.lose(.unreachable("no")).delay
    }
    #expect(Set(rests).count == rests.count)
  }

  @Test(arguments: [MessageType.diskFull, .diskError, MessageType(rawValue: 0x6000_0077)])
  func `keeps a record that a server cannot store, and rests before it tries again (S17, S18)`(
    type: MessageType
  ) throws {
    var it = Clocked()
    it.connect()
    try it.answer(it.send())
    it.pass(.seconds(60))
    let number = it.send()
    let refusal = Loss.refused(type, text: [])
    #expect(throws: refusal) { try it.answer(number, type) }
    let outlook = it.lose(refusal)
    #expect(outlook.again == 1 && outlook.delay >= .seconds(1))
  }

  @Test func `counts a record as stored where the disk has little room (S19)`() throws {
    var it = Clocked()
    it.connect()
    for _ in 0..<100 {
      let number = it.send()
      #expect(
        try it.sender.take(Reply(.diskLow, sequence: number[0]), now: it.now)?.warning == .diskLow)
    }
    #expect(it.sender.outstanding == 0)
  }

  @Test func `takes any other good reply for stored, as audisp-remote does`() throws {
    var it = Clocked()
    it.connect()
    #expect(try it.answer(it.send(), MessageType(rawValue: 0x4000_0099)) == 1)
  }

  @Test func `believes no reply to another message (S13)`() throws {
    var it = Clocked()
    it.connect()
    try it.answer(it.send())
    _ = it.send(3)
    #expect(throws: Loss.violation(.outOfStep(3, expected: 2))) { try it.answer([3]) }
    #expect(it.lose(.violation(.outOfStep(3, expected: 2))).again == 3)
  }

  @Test func `believes no reply that nobody asked for, and no request`() {
    var it = Clocked()
    it.connect()
    #expect(throws: Loss.violation(.outOfStep(7, expected: nil))) { try it.answer([7]) }
    #expect(throws: Loss.violation(.notAReply(.record))) { try it.answer([1], .record) }
  }

  @Test func `keeps what is on its way when the server ends (S9)`() throws {
    var it = Clocked()
    it.connect()
    try it.answer(it.send())
    _ = it.send(10)
    #expect(throws: Loss.ending) { try it.answer([0], .ending) }
    #expect(it.lose(.ending).again == 10)
  }

  @Test func `knows a server that turns it away from one that ends later (S14, S15, S16)`() throws {
    var it = Clocked()
    it.connect()
    #expect(it.sender.meaning(ofEndAt: it.now) == .turnedAway)
    #expect(it.lose(.turnedAway).delay >= .seconds(1))
    _ = it.passToDeadline()
    it.connect()
    it.pass(.seconds(2))
    #expect(it.sender.meaning(ofEndAt: it.now) == .closed)
    try it.answer(it.send())
    #expect(it.sender.meaning(ofEndAt: it.now) == .closed)
  }

  @Test func `tries its servers in turn at once, then rests, and prefers the first`() throws {
    var it = Clocked(servers: 3)
    for _ in 0..<2 {
      for server in 0..<3 {
        #expect(it.step() == .connect(server: server))
        #expect((it.lose(.unreachable("no")).delay > .zero) == (server == 2))
      }
      _ = it.passToDeadline()
    }
    _ = it.step()
    _ = it.lose(.unreachable("no"))
    #expect(it.step() == .connect(server: 1))
    it.sender.connected(now: it.now)
    try it.answer(it.send())
    it.pass(.seconds(60))
    _ = it.lose()
    #expect(it.step() == .connect(server: 0))
  }

  @Test func `goes on numbering behind the largest number`() throws {
    var window = SendingWindow(limit: 10, first: .max)
    let numbers = [window.sendRecord(), window.sendRecord()]
    #expect(numbers == [.max, 0])
    #expect(try window.take(Reply(.acknowledgement, sequence: .max)) == .stored)
    #expect(try window.take(Reply(.acknowledgement, sequence: 0)) == .stored)
  }

  @Test func `forgets what is answered, however long it goes on`() throws {
    var it = Clocked(window: 10)
    it.connect()
    for _ in 0..<20_000 { try it.answer(it.send()) }
    #expect(it.sender.outstanding == 0 && it.sender.hasRoom)
  }
}

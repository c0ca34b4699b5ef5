import RemoteProtocol
import Testing

/// How long a peer may take, by a clock that the test moves.
@Suite("A peer's connection")
struct PeerStateTests {
  static let limits = PeerState.Limits(idle: .seconds(10), unanswered: 3, untaken: 100)

  @Test func `ends when hands are not shaken in time (C17)`() {
    let state = PeerState(shakesHands: true, now: .seconds(100))
    #expect(state.deadline(unanswered: 0, Self.limits) == .seconds(105))
    #expect(state.end(now: .seconds(104), unanswered: 0, Self.limits) == nil)
    #expect(state.end(now: .seconds(105), unanswered: 0, Self.limits) == .noHandshake(.seconds(5)))
  }

  @Test func `ends when no whole message comes in time, though bytes do`() {
    var state = PeerState(shakesHands: true, now: .zero)
    state.shaken(now: .seconds(4))
    for second in 5..<34 { state.took(messages: 0, isWhole: false, now: .seconds(second)) }
    #expect(state.end(now: .seconds(33), unanswered: 0, Self.limits) == nil)
    #expect(state.end(now: .seconds(34), unanswered: 0, Self.limits) == .noMessage(.seconds(30)))
  }

  @Test func `ends when it is idle, but not while it waits for an answer (C12)`() {
    var state = PeerState(shakesHands: false, now: .zero)
    state.took(messages: 1, isWhole: true, now: .seconds(1))
    #expect(state.isOpen)
    #expect(state.end(now: .seconds(100), unanswered: 1, Self.limits) == nil)
    #expect(state.end(now: .seconds(10), unanswered: 0, Self.limits) == nil)
    #expect(state.end(now: .seconds(11), unanswered: 0, Self.limits) == .idle(.seconds(10)))
  }

  @Test func `has no end for being idle unless one is set`() {
    var state = PeerState(shakesHands: false, now: .zero)
    state.took(messages: 1, isWhole: true, now: .seconds(1))
    #expect(state.deadline(unanswered: 0, PeerState.Limits()) == nil)
  }

  @Test func `ends when a message that has begun does not become whole`() {
    var state = PeerState(shakesHands: false, now: .zero)
    state.took(messages: 2, isWhole: false, now: .seconds(1))
    state.took(messages: 0, isWhole: false, now: .seconds(50))
    #expect(state.end(now: .seconds(60), unanswered: 1, Self.limits) == nil)
    #expect(state.end(now: .seconds(61), unanswered: 1, Self.limits) == .cutMessage(.seconds(60)))
    state.took(messages: 1, isWhole: true, now: .seconds(60))
    #expect(state.end(now: .seconds(61), unanswered: 1, Self.limits) == nil)
  }

  @Test(arguments: [(0, 0, true), (2, 99, true), (3, 0, false), (0, 100, false)])
  func `is read while little waits (C13)`(unanswered: Int, untaken: Int, isRead: Bool) {
    let state = PeerState(shakesHands: false, now: .zero)
    #expect(state.mayRead(unanswered: unanswered, untaken: untaken, Self.limits) == isRead)
  }

  @Test func `is not read once it was told of the end`() {
    var state = PeerState(shakesHands: false, now: .zero)
    state.end()
    #expect(!state.mayRead(unanswered: 0, untaken: 0, Self.limits))
    #expect(state.end(now: .seconds(1000), unanswered: 0, Self.limits) == nil)
  }
}

@Suite("Which connections are taken")
struct PeerAdmissionTests {
  private static func judge(
    port: UInt16 = 1000, isAllowed: Bool = true, heard: [Int] = [], all: Int = 0,
    shaking: Int? = nil, ports: ClosedRange<Int>? = nil
  ) -> PeerAdmission.Verdict {
    let limits = PeerAdmission.Limits(connections: 5, perAddress: 2, handshakes: 3, ports: ports)
    let present = heard.enumerated().map {
      PeerAdmission.Present(id: UInt32($0.offset), heard: .seconds($0.element))
    }
    return PeerAdmission(limits).judge(
      port: port, isAllowed: isAllowed, ofAddress: present, all: all, shaking: shaking,
      now: .seconds(100))
  }

  @Test func `is said by networks, ports and numbers, in that order`() {
    #expect(Self.judge() == .take)
    #expect(Self.judge(isAllowed: false, all: 5) == .refuse(.network))
    #expect(Self.judge(all: 5, ports: 1...999) == .refuse(.port))
    #expect(Self.judge(ports: 1000...1000) == .take)
    #expect(Self.judge(all: 4) == .take)
    #expect(Self.judge(all: 5) == .refuse(.all))
    #expect(Self.judge(shaking: 2) == .take)
    #expect(Self.judge(shaking: 3) == .refuse(.handshakes))
  }

  @Test func `is the newer one where an older one was silent (C11)`() {
    #expect(Self.judge(heard: [99]) == .take)
    #expect(Self.judge(heard: [99, 98]) == .refuse(.address))
    #expect(Self.judge(heard: [99, 97]) == .replace(1))
    #expect(Self.judge(heard: [10, 97], all: 5) == .replace(0))
  }

  private static func judge(
    all: Int = 0, shaking: Int? = nil, silent: [(network: UInt8, heard: Int)]
  ) -> PeerAdmission.Verdict {
    let limits = PeerAdmission.Limits(connections: 5, perAddress: 2, handshakes: 3)
    return PeerAdmission(limits).judge(
      port: 1, isAllowed: true, ofAddress: [], all: all, shaking: shaking, now: .seconds(100)
    ) { _ in
      silent.enumerated().map {
        PeerAdmission.Present(
          id: UInt32($0.offset), heard: .seconds($0.element.heard), network: [$0.element.network])
      }
    }
  }

  @Test func `is a new one where others only have connected`() {
    // Of those of whoever has the most the oldest, however new.
    let flood = [(UInt8(1), 98), (2, 100), (2, 99), (3, 97)]
    #expect(Self.judge(all: 5, silent: flood) == .replace(2))
    #expect(Self.judge(shaking: 3, silent: flood) == .replace(2))
    #expect(Self.judge(all: 4, shaking: 2, silent: flood) == .take)
    // Of those that are alone, one that had its time.
    #expect(Self.judge(all: 5, silent: [(1, 100), (2, 99), (3, 100)]) == .replace(1))
    #expect(Self.judge(all: 5, silent: [(1, 100), (2, 100)]) == .refuse(.all))
    #expect(Self.judge(shaking: 3, silent: [(1, 100)]) == .refuse(.handshakes))
    #expect(Self.judge(all: 5, silent: []) == .refuse(.all))
  }
}

@Suite("What a peer is answered")
struct PeerAnswersTests {
  private static func sequences(_ bytes: [UInt8]) throws -> [UInt32] {
    var reader = ReplyReader()
    reader.append(bytes[...])
    var sequences: [UInt32] = []
    while let reply = try reader.next() { sequences.append(reply.sequence) }
    return sequences
  }

  @Test func `comes in its order, records when they are safe`() throws {
    var answers = PeerAnswers()
    answers.heartbeat(sequence: 1)
    answers.record(10, sequence: 2)
    answers.heartbeat(sequence: 3)
    answers.record(20, sequence: 4)
    var out: [UInt8] = []
    #expect(answers.take(into: &out) == 0)
    #expect(try Self.sequences(out) == [1])
    answers.isSafe(through: 19)
    #expect(answers.take(into: &out) == 1)
    #expect(try Self.sequences(out) == [1, 2, 3])
    answers.isSafe(through: 9)
    #expect(answers.take(into: &out) == 0)
    #expect(answers.count == 1)
    answers.isSafe(through: 25)
    #expect(answers.take(into: &out) == 1)
    #expect(try Self.sequences(out) == [1, 2, 3, 4])
    #expect(answers.count == 0)
  }

  @Test func `says what is there of a sender of ours`() throws {
    var answers = PeerAnswers()
    answers.opening(sequence: 1)
    answers.record(1, sequence: 2)
    answers.isSafe(through: 1)
    var out: [UInt8] = []
    #expect(answers.take(into: &out) == 0)
    answers.has(77)
    #expect(answers.take(into: &out) == 1)
    var reader = ReplyReader()
    reader.append(out[...])
    #expect(try reader.next()?.text == Array("audispatch 1 has 77".utf8))
  }

  @Test func `is exact over thousands`() throws {
    var answers = PeerAnswers()
    var out: [UInt8] = []
    var taken = 0
    for number in 1...10_000 {
      answers.record(UInt64(number), sequence: UInt32(number))
      if number % 7 == 0 {
        answers.isSafe(through: UInt64(number - 3))
        taken += answers.take(into: &out)
      }
    }
    answers.isSafe(through: 10_000)
    taken += answers.take(into: &out)
    #expect(taken == 10_000)
    #expect(try Self.sequences(out) == (1...10_000).map { UInt32($0) })
  }
}

@Suite("Whose node a name is")
struct NodeClaimsTests {
  private static func isOwn(
    _ claims: inout NodeClaims, _ node: String, _ address: String, _ identity: String = ""
  ) -> Bool {
    claims.isOwn(Array(node.utf8)[...], address: address, identity: identity)
  }

  @Test func `belongs to the address that used it first`() {
    var claims = NodeClaims(ownName: "collector")
    #expect(Self.isOwn(&claims, "a", "192.0.2.1"))
    #expect(Self.isOwn(&claims, "a", "192.0.2.1"))
    #expect(!Self.isOwn(&claims, "a", "192.0.2.2"))
    #expect(Self.isOwn(&claims, "b", "192.0.2.1"))
    #expect(!Self.isOwn(&claims, "collector", "192.0.2.1"))
  }

  /// Plugins take what names this host for its own, also where its records name none.
  @Test(arguments: [
    ("hub", "hub", false), ("hub", "hub.example.org", false), ("hub.example.org", "hub", false),
    ("hub.example.org", "hub.example.org", false), ("hub.example.org", "hub.example.com", true),
    ("hub", "hub2", true), ("hub", "hu", true), ("", "hub", true),
  ])
  func `is not what the collector is called`(host: String, node: String, isOwn: Bool) {
    for identity in ["", node] {
      var claims = NodeClaims(ownName: nil, host: host)
      #expect(Self.isOwn(&claims, node, "192.0.2.1", identity) == isOwn)
    }
  }

  @Test func `is nobody's when it is too long, or one of too many`() {
    var claims = NodeClaims(ownName: nil)
    #expect(Self.isOwn(&claims, String(repeating: "x", count: 255), "192.0.2.1"))
    #expect(!Self.isOwn(&claims, String(repeating: "x", count: 256), "192.0.2.1"))
    let taken = (0..<2000).filter { Self.isOwn(&claims, "n\($0)", "192.0.2.2") }
    #expect(taken == Array(0..<1024))
    #expect(Self.isOwn(&claims, "n1023", "192.0.2.2"))
    #expect(Self.isOwn(&claims, "n1024", "192.0.2.3"))
  }

  @Test func `is the identity over TLS, with or without its domain`() {
    var claims = NodeClaims(ownName: nil)
    #expect(Self.isOwn(&claims, "web1.example.org", "192.0.2.1", "web1.example.org"))
    #expect(Self.isOwn(&claims, "web1", "192.0.2.1", "web1.example.org"))
    #expect(!Self.isOwn(&claims, "web2", "192.0.2.1", "web1.example.org"))
    #expect(!Self.isOwn(&claims, "web", "192.0.2.1", "web1.example.org"))
  }
}

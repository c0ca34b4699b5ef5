import Testing

@testable import AuditDispatch

/// Over all that the log can do, all that plugins can want of it, and all that was in the way before.
@Suite("Whether other hosts' records can be kept safe")
struct SafekeepingTests {
  typealias Log = Safekeeping.Log
  private static let bound = 1 << 30

  private static func room(_ free: Int) -> Safekeeping.Wish {
    .synced(Safekeeping.Room(plugin: "log", free: free, bound: bound))
  }

  private static let wishes: [Safekeeping.Wish] = [
    .nothing, .written, room(0), room(Safekeeping.reserve - 1), room(Safekeeping.reserve),
    room(bound / 8 - 1), room(bound / 8), room(bound),
  ]
  private static let formers: [Safekeeping.Obstacle?] = [
    nil, .diskTakesNothing, .noLog, .fullQueue(of: "log"), .fullQueue(of: "other"),
  ]

  private func forAll(_ body: (Log, Safekeeping.Wish, Safekeeping.Obstacle?, Safekeeping) -> Void) {
    for log in Log.allCases {
      for wish in Self.wishes {
        for former in Self.formers {
          body(log, wish, former, Safekeeping(log, wish, after: former))
        }
      }
    }
  }

  @Test func `is what memory does where no plugin is durable`() {
    forAll { _, wish, _, keeping in
      let isInMemory = keeping.safety == .inMemory
      #expect(isInMemory == (wish == .nothing))
      if isInMemory { #expect(keeping.obstacle == nil) }
    }
  }

  @Test func `is never so without a log that takes records`() {
    forAll { log, wish, former, keeping in
      guard wish != .nothing, log != .open, log != .opening else { return }
      #expect(keeping.safety == .never, "\(log) \(wish)")
      let expected: Safekeeping.Obstacle = log == .failed ? .diskTakesNothing : .noLog
      #expect(keeping.obstacle == expected, "\(log) \(wish) after \(String(describing: former))")
    }
  }

  @Test func `is so when the log has written or synced them, which is taken as it comes`() {
    forAll { log, wish, former, keeping in
      guard log == .open || log == .opening, case .synced(let room) = wish else {
        if log == .open || log == .opening, wish == .written {
          #expect(keeping.safety == .written && keeping.obstacle == nil)
        }
        return
      }
      #expect(keeping.safety == .synced)
      let wasFull = former == .fullQueue(of: "log") || former == .fullQueue(of: "other")
      let isFull = room.free < (wasFull ? Self.bound / 8 : Safekeeping.reserve)
      #expect(keeping.obstacle == (isFull ? .fullQueue(of: "log") : nil), "\(room) \(wasFull)")
    }
  }

  /// What was taken is dropped from what is remembered where no log will have it, and only there.
  @Test func `leaves what was taken to a log that takes it`() {
    forAll { _, _, _, keeping in
      guard let obstacle = keeping.obstacle else { return }
      #expect(obstacle.leavesTaken == (keeping.safety != .never))
    }
  }

  /// What other hosts send halts nobody.
  @Test func `is put off where an overflow would halt this host`() {
    for log in [Log.open, .opening] {
      for wish in [.nothing, .written, Self.room(Self.bound)] as [Safekeeping.Wish] {
        let keeping = Safekeeping(log, wish, after: nil, brink: "halting")
        #expect(keeping.obstacle == .brink(of: "halting"))
        #expect(keeping.obstacle?.leavesTaken == true && keeping.safety != .never)
      }
    }
    let fills = [0.24, 0.49, 0.5, 0.49, 0.25, 0.24, 0.49]
    var isAtBrink = false
    let states = fills.map {
      isAtBrink = Safekeeping.isAtBrink(fill: $0, wasAtBrink: isAtBrink)
      return isAtBrink
    }
    #expect(states == [false, false, true, true, true, false, false])
  }

  @Test func `goes on in the smallest queue that there can be`() {
    let bound = 1 << 20
    func obstacle(_ free: Int, _ former: Safekeeping.Obstacle?) -> Safekeeping.Obstacle? {
      let room = Safekeeping.Room(plugin: "log", free: free, bound: bound)
      return Safekeeping(.open, .synced(room), after: former).obstacle
    }
    #expect(obstacle(bound, .fullQueue(of: "log")) == nil)
    #expect(obstacle(bound, nil) == nil)
  }
}

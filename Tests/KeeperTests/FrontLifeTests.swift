import Linux
import TestSupport
import Testing

@testable import Keeper

/// Every event in every state, at each moment that matters.
@Suite("A front")
struct FrontLifeTests {
  typealias Event = FrontLife.Event
  typealias Action = FrontLife.Action

  private static func at(_ milliseconds: Int64) -> Moment {
    Moment(nanoseconds: milliseconds * 1_000_000)
  }

  /// How each state is come to.
  private static let ways: [(name: String, events: [Event])] = [
    ("beginning", []),
    ("offering", [.began(hasKeeper: true)]),
    ("handing", [.began(hasKeeper: true), .said(.welcome)]),
    ("hung up", [.began(hasKeeper: true), .said(.no(""))]),
    ("hung up, gave", [.began(hasKeeper: true), .said(.welcome), .lost]),
    ("starting", [.began(hasKeeper: false)]),
    ("served", [.began(hasKeeper: false), .started(true)]),
    ("ended", [.began(hasKeeper: false), .started(true), .inputEnded]),
  ]

  private static let events: [Event] = [
    .began(hasKeeper: false), .began(hasKeeper: true), .said(.welcome), .said(.no("x")),
    .said(.taken), .said(.end(6)), .lost, .lastWord(nil), .lastWord(.welcome), .lastWord(.taken),
    .started(true), .started(false), .inputEnded, .inputFills, .signal(.stop), .signal(.other(1)),
    .tick,
  ]

  /// Where an event leads, and what is to be done. Whatever is not listed changes nothing, but that a
  /// stop, an end of the input and a signal are remembered.
  private static func expected(
    _ state: String, _ event: Event, _ milliseconds: Int64
  ) -> (String, [Action]) {
    switch (state, event) {
    case ("beginning", .began(hasKeeper: false)): ("starting", [.start])
    case ("beginning", .began(hasKeeper: true)): ("offering", [.offer])
    case ("offering", .said(.welcome)): ("handing", [.handOver])
    case ("offering", .said), ("offering", .lost): ("hung up", [.hangUp])
    case ("offering", .tick) where milliseconds >= 1000: ("hung up", [.hangUp])
    case ("offering", .tick) where milliseconds >= 100: ("offering", [.lookAtInput])
    case ("offering", .inputFills): ("hung up", [.hangUp])
    case ("handing", .said(.taken)): ("served", [])
    case ("handing", .said), ("handing", .lost): ("hung up, gave", [.hangUp])
    case ("handing", .tick) where milliseconds >= 1000: ("hung up, gave", [.hangUp])
    case ("handing", .tick) where milliseconds >= 100: ("handing", [.lookAtInput])
    case ("handing", .inputFills): ("hung up, gave", [.hangUp])
    case ("hung up, gave", .lastWord(.taken)): ("served", [])
    case ("hung up", .lastWord), ("hung up, gave", .lastWord): ("starting", [.start])
    case ("starting", .started(true)): ("served", [])
    case ("starting", .tick): ("starting", [.start])
    case ("served", .said(.end(let status))): ("ended", [.end(status)])
    case ("served", .lost): ("starting", [.start])
    case ("served", .inputEnded), ("served", .signal(.stop)): ("ended", [.end(0)])
    case ("served", .signal(.other(let number))): ("served", [.tell(number)])
    default: (state, [])
    }
  }

  private static func name(_ state: FrontLife.State) -> String {
    switch state {
    case .beginning: "beginning"
    case .offering: "offering"
    case .handing: "handing"
    case .hungUp(let gave): gave ? "hung up, gave" : "hung up"
    case .starting: "starting"
    case .served: "served"
    case .ended: "ended"
    }
  }

  private static func front(_ events: [Event]) -> FrontLife {
    var front = FrontLife()
    for event in events { _ = front.handle(event, now: at(0)) }
    return front
  }

  @Test func `takes every event in every state as the table says`() {
    for way in Self.ways {
      for event in Self.events {
        for milliseconds: Int64 in [0, 99, 100, 999, 1000, 5000] {
          var front = Self.front(way.events)
          #expect(Self.name(front.state) == way.name)
          let actions = front.handle(event, now: Self.at(milliseconds))
          let (state, wanted) = Self.expected(way.name, event, milliseconds)
          let what: Comment = "\(event) when \(way.name) after \(milliseconds) ms"
          #expect(Self.name(front.state) == state, what)
          #expect(actions == wanted, what)
        }
      }
    }
  }

  @Test(arguments: [[Event.began(hasKeeper: true)], [.began(hasKeeper: true), .said(.welcome)]])
  func `waits longer for a keeper while auditd does not, and looks whether it does`(way: [Event]) {
    var front = Self.front(way)
    #expect(front.deadline == Self.at(100))
    var looks: [Int64] = []
    while let due = front.deadline {
      let actions = front.handle(.tick, now: due)
      guard actions == [.lookAtInput] else {
        #expect(actions == [.hangUp] && due == Self.at(1000))
        break
      }
      looks.append(due.nanoseconds / 1_000_000)
    }
    #expect(looks == Array(stride(from: 100, to: 1000, by: 10)))
  }

  @Test(arguments: [Event.inputEnded, .signal(.stop)], [0, 99, 100, 500] as [Int64])
  func `gives a keeper 100 ms once auditd waits for it`(event: Event, milliseconds: Int64) {
    for way: [Event] in [[.began(hasKeeper: true)], [.began(hasKeeper: true), .said(.welcome)]] {
      var front = Self.front(way)
      if milliseconds >= 100 {
        #expect(front.handle(.tick, now: Self.at(milliseconds)) == [.lookAtInput])
      }
      #expect(front.handle(event, now: Self.at(milliseconds)) == [])
      let due = max(100, milliseconds + (milliseconds >= 100 ? 10 : 0))
      #expect(front.deadline == Self.at(due))
      #expect(front.handle(.tick, now: Self.at(due)) == [.hangUp])
    }
  }

  /// The ways from each state before `served` to there.
  private static let onward: [(from: [Event], rest: [Event])] = [
    ([], [.began(hasKeeper: false), .started(true)]),
    ([.began(hasKeeper: true)], [.said(.welcome), .said(.taken)]),
    ([.began(hasKeeper: true), .said(.welcome)], [.said(.taken)]),
    ([.began(hasKeeper: true), .said(.welcome), .tick], [.said(.taken)]),
    ([.began(hasKeeper: true), .inputFills], [.lastWord(nil), .started(true)]),
    ([.began(hasKeeper: true), .said(.no(""))], [.lastWord(nil), .started(true)]),
    ([.began(hasKeeper: true), .said(.welcome), .lost], [.lastWord(.taken)]),
    ([.began(hasKeeper: false)], [.started(true)]),
  ]

  @Test(arguments: [Event.inputEnded, .signal(.stop)])
  func `that is to end before the input has a reader ends when it has`(event: Event) {
    for way in Self.onward {
      var front = Self.front(way.from + [event])
      var actions: [Action] = []
      for event in way.rest {
        #expect(!actions.contains(.end(0)))
        actions = front.handle(event, now: Self.at(0))
      }
      #expect(actions == [.end(0)], "\(way)")
    }
  }

  @Test func `passes a signal on that came before there was a keeper, once`() {
    for way in Self.onward {
      var front = Self.front(
        way.from + [.signal(.other(1)), .signal(.other(10)), .signal(.other(1))])
      var actions: [Action] = []
      for event in way.rest { actions = front.handle(event, now: Self.at(0)) }
      #expect(actions == [.tell(1), .tell(10)], "\(way)")
      #expect(front.handle(.lost, now: Self.at(0)) == [.start])
      #expect(front.handle(.started(true), now: Self.at(0)) == [])
    }
  }

  @Test func `starts keepers that die at once less and less often`() throws {
    var front = Self.front([.began(hasKeeper: false), .started(true)])
    var now = Self.at(0)
    var delays: [Int64] = []
    for _ in 0..<10 {
      let actions = front.handle(.lost, now: now)
      if actions.isEmpty {
        let due = try #require(front.deadline)
        #expect(front.handle(.tick, now: Moment(nanoseconds: due.nanoseconds - 1)) == [])
        delays.append((due.nanoseconds - now.nanoseconds) / 1_000_000)
        now = due
        #expect(front.handle(.tick, now: now) == [.start])
      } else {
        #expect(actions == [.start])
        delays.append(0)
      }
      _ = front.handle(.started(true), now: now)
    }
    #expect(delays == [0, 50, 100, 200, 400, 800, 1600, 3200, 5000, 5000])
    // One that has lived for a second is replaced at once.
    #expect(front.handle(.lost, now: now + .seconds(1)) == [.start])
  }

  @Test func `that cannot start a keeper tries again, and gives up only when it is to end`() {
    var front = Self.front([.began(hasKeeper: false)])
    for _ in 0..<20 {
      #expect(front.handle(.started(false), now: Self.at(0)) == [])
      #expect(front.handle(.tick, now: Self.at(60_000)) == [.start])
    }
    _ = front.handle(.signal(.stop), now: Self.at(0))
    #expect(front.handle(.started(false), now: Self.at(0)) == [.end(1)])
  }

  /// Random events: what was started or handed over is never done so twice at a time.
  @Test func `never has two keepers for its input`() {
    var random = Seeded(of: "front")
    for _ in 0..<2000 {
      var front = FrontLife()
      var hasKeeper = false
      var now = Self.at(0)
      for _ in 0..<40 {
        let event = Self.events[random.number(below: Self.events.count)]
        now = now + .milliseconds(random.number(below: 200))
        let before = front.state
        let actions = front.handle(event, now: now)
        if case .served = before, event == .lost { hasKeeper = false }
        if actions.contains(.start) { #expect(!hasKeeper) }
        if case .served = front.state { hasKeeper = true }
        if actions.contains(.end(0)) {
          if case .served = before {} else { hasKeeper = true }
          #expect(hasKeeper)
        }
      }
    }
  }
}

import Linux
import Testing

@testable import Keeper

/// Every event in every state that a few events lead to.
@Suite("A keeper's inputs")
struct SuccessionTests {
  typealias Event = Succession.Event
  typealias Action = Succession.Action

  private static func at(_ seconds: Double) -> Moment {
    Moment(nanoseconds: Int64(seconds * 1e9))
  }

  private static let welcome: [Event] = [.frontLost, .offered(objection: nil)]
  private static let taken: [Event] = welcome + [.handed, .said(true)]

  /// How each state is come to.
  private static let ways: [(name: String, events: [Event])] = [
    ("front", []), ("no front", [.frontLost]), ("caller", welcome), ("taken", taken),
    ("taken, its front gone", taken + [.frontLost]),
    ("front, drained", [.drained(isFarewell: false)]),
    ("no front, drained", [.frontLost, .drained(isFarewell: false)]),
    ("caller, drained", welcome + [.drained(isFarewell: false)]),
    ("stopping", [.stopAsked]), ("stopping, no front", [.frontLost, .stopAsked]),
    ("stopping, taken", taken + [.stopAsked]),
  ]

  private static let events: [Event] = [
    .offered(objection: nil), .offered(objection: "x"), .handed, .callerLost, .frontLost,
    .drained(isFarewell: false), .drained(isFarewell: true), .wentOn, .workerDied, .unreachable,
    .stopAsked,
    .tick,
  ]

  /// What is to be done. In each other case nothing is.
  private static func expected(_ state: String, _ event: Event, _ seconds: Double) -> Action {
    let stops = state.hasPrefix("stopping")
    let hasFront = state.hasPrefix("front") || state == "taken"
    let hasTaken = state.hasPrefix("taken")
    switch event {
    case .offered(let objection):
      if stops { return .refuse("it is stopping") }
      if hasFront { return .refuse("another one is in front of it") }
      return objection.map { .refuseAndStop($0) } ?? .welcome
    case .handed: return state.hasPrefix("caller") ? .sayTaken : .hangUp
    case .drained(isFarewell: true) where !stops && !hasTaken:
      return .stop("auditd has said that it stops")
    case .tick where state.hasSuffix("drained") && seconds >= 10:
      return .stop("nobody has brought an input for 10.0 s")
    default: return .none
    }
  }

  private static func keeper(_ events: [Event]) -> Succession {
    var keeper = Succession(wait: .seconds(10))
    for event in events { _ = keeper.handle(event, now: at(0)) }
    return keeper
  }

  @Test func `take every event in every state as the table says`() {
    for way in Self.ways {
      for event in Self.events {
        for seconds in [0, 9.999, 10, 60] {
          var keeper = Self.keeper(way.events)
          let action = keeper.handle(event, now: Self.at(seconds))
          #expect(
            action == Self.expected(way.name, event, seconds),
            "\(event) when \(way.name) after \(seconds) s")
        }
      }
    }
  }

  @Test func `are taken only when the front still hears that`() {
    for wasHeard in [true, false] {
      var keeper = Self.keeper(Self.welcome)
      #expect(keeper.handle(.handed, now: Self.at(0)) == .sayTaken)
      #expect(keeper.handle(.said(wasHeard), now: Self.at(0)) == (wasHeard ? .adopt : .hangUp))
      #expect(keeper.unread == (wasHeard ? 1 : 0) && keeper.hasFront == wasHeard)
      #expect(keeper.endIsOurs == !wasHeard)
    }
  }

  @Test func `are waited for behind each end anew, and not from a worker's death on`() {
    var keeper = Self.keeper([.frontLost, .drained(isFarewell: false), .workerDied])
    _ = keeper.handle(.drained(isFarewell: false), now: Self.at(5))
    #expect(keeper.deadline == Self.at(10))
    for event in [Event.offered(objection: nil), .handed, .said(true), .wentOn] {
      _ = keeper.handle(event, now: Self.at(6))
    }
    #expect(keeper.deadline == nil && keeper.endIsOurs)
    _ = keeper.handle(.drained(isFarewell: false), now: Self.at(7))
    #expect(keeper.deadline == Self.at(17))
  }

  @Test func `are waited for by nobody who cannot be found`() {
    let both: [Event] = [.unreachable, .drained(isFarewell: false)]
    for events in [both, both.reversed()] {
      var keeper = Self.keeper([.frontLost] + events)
      #expect(
        keeper.handle(.tick, now: Self.at(0)) == .stop("nobody has brought an input for 0.0 s"))
    }
  }

  /// It has a keeper of its own, whose worker waits for the folder: none may overtake it.
  @Test func `are taken from nobody behind a front that gave up`() {
    for events in [[Event.callerLost], [.handed, .said(false)]] {
      var keeper = Self.keeper(Self.welcome + events)
      #expect(
        keeper.handle(.offered(objection: nil), now: Self.at(0))
          == .refuse("another one has its place"))
      _ = keeper.handle(.drained(isFarewell: false), now: Self.at(0))
      #expect(
        keeper.handle(.tick, now: Self.at(0)) == .stop("nobody has brought an input for 0.0 s"))
    }
  }

  @Test func `are refused when a worker reads none of many`() {
    var keeper = Self.keeper([.frontLost])
    for _ in 0..<Succession.maximumUnread {
      #expect(keeper.handle(.offered(objection: nil), now: Self.at(0)) == .welcome)
      #expect(keeper.handle(.handed, now: Self.at(0)) == .sayTaken)
      #expect(keeper.handle(.said(true), now: Self.at(0)) == .adopt)
      _ = keeper.handle(.frontLost, now: Self.at(0))
    }
    #expect(
      keeper.handle(.offered(objection: nil), now: Self.at(0))
        == .refuse("its worker does not read"))
    // Who was refused has a keeper of its own: none that comes later may overtake it.
    _ = keeper.handle(.wentOn, now: Self.at(1))
    #expect(
      keeper.handle(.offered(objection: nil), now: Self.at(1))
        == .refuse("another one has its place"))
  }

  /// The front and the keeper against each other, with every message lost or late at each step.
  @Test func `have one reader each, whatever dies or hangs between a front and a keeper`() {
    /// Where the exchange breaks: behind so many messages; `hangs`: they are only late.
    for step in 0...4 {
      for hangs in [false, true] {
        var front = FrontLife()
        var keeper = Self.keeper([.frontLost])
        var adopted = false
        var started = false
        var sent = 0
        var isShut = false
        /// What the keeper says meanwhile, to be read once more when the connection is shut.
        var late: KeeperWord?
        var queue = front.handle(.began(hasKeeper: true), now: Self.at(0))
        while !queue.isEmpty {
          let action = queue.removeFirst()
          var answer: KeeperWord?
          switch action {
          case .offer:
            if keeper.handle(.offered(objection: nil), now: Self.at(0)) == .welcome {
              answer = .welcome
            }
          case .handOver:
            #expect(keeper.handle(.handed, now: Self.at(0)) == .sayTaken)
            let said = keeper.handle(.said(!isShut), now: Self.at(0))
            adopted = said == .adopt
            if adopted { answer = .taken }
          case .lookAtInput: queue += front.handle(.inputFills, now: Self.at(1))
          case .hangUp:
            isShut = true
            queue += front.handle(.lastWord(late), now: Self.at(1))
          case .start:
            started = true
            queue += front.handle(.started(true), now: Self.at(1))
          case .tell, .end: break
          }
          guard let answer else { continue }
          sent += 1
          if sent <= step {
            queue += front.handle(.said(answer), now: Self.at(0))
          } else {
            late = hangs ? answer : nil
            // A keeper that dies has nothing; what it had adopted dies with it.
            if !hangs { adopted = false }
            queue += front.handle(hangs ? .tick : .lost, now: Self.at(1))
          }
        }
        #expect(adopted != started, "step \(step), hangs \(hangs)")
        if case .served = front.state {} else { Issue.record("not served: \(front)") }
      }
    }
  }

  @Test func `waits for nobody where no front can find it`() {
    var keeper = Self.keeper([.unreachable])
    let drained = keeper.handle(.drained(isFarewell: false), now: Self.at(1))
    let next = keeper.handle(.tick, now: Self.at(1))
    #expect(drained == .none)
    #expect(next == .stop("nobody has brought an input for 0.0 s"))
  }
}

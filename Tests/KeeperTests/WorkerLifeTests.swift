import Glibc
import Linux
import TestSupport
import Testing

@testable import Keeper

/// Every event in every state, at each moment that matters.
@Suite("A keeper's worker")
struct WorkerLifeTests {
  typealias Event = WorkerLife.Event
  typealias Action = WorkerLife.Action

  private static func at(_ milliseconds: Int64) -> Moment {
    Moment(nanoseconds: milliseconds * 1_000_000)
  }

  private static let started: [Event] = [.started(true)]
  private static let ready: [Event] = [.started(true), .ready]
  private static let again: [Event] = ready + [.died(.signal(SIGKILL))]
  private static let stop = Event.signal(SIGTERM)

  /// How each state is come to; all but a last tick at once.
  private static let ways: [(name: String, events: [Event])] = [
    ("starting", []),
    ("unready", started),
    ("ready", ready),
    ("starting again", again),
    ("unready again", again + started),
    ("ready again", again + ready),
    ("starting, to stop", [stop]),
    ("unready, to stop", started + [stop]),
    ("ready, to stop", ready + [stop]),
    ("unready again, to stop", ready + [stop, .died(.signal(SIGSEGV))] + started),
    ("given up", started + [stop, .tick]),
    ("ended", ready + [.died(.exit(0))]),
  ]

  private static let events: [Event] = [
    .started(true), .started(false), .ready, .died(.exit(0)), .died(.exit(6)),
    .died(.signal(SIGKILL)), .died(.signal(SIGSEGV)), stop, .signal(SIGINT), .signal(SIGHUP), .tick,
  ]

  /// Where an event leads, and what is to be done. Whatever is not listed changes nothing, but that a
  /// signal is remembered.
  private static func expected(
    _ way: String, _ event: Event, _ milliseconds: Int64
  ) -> (String, [Action]) {
    let state = way.split { $0 == " " || $0 == "," }[0]
    return switch (way, event) {
    case ("starting", .started(true)), ("starting again", .started(true)),
      ("starting, to stop", .started(true)):
      ("unready", [])
    case ("starting", .tick), ("starting, to stop", .tick): ("starting", [.start(asCopy: true)])
    case ("starting again", .tick): ("starting", [.start(asCopy: false)])
    case ("unready", .ready): ("ready", [])
    case ("unready, to stop", .ready): ("ready", [.signal(SIGTERM)])
    case ("unready again", .ready):
      ("ready", [.sayReadAgain(after: .milliseconds(milliseconds))])
    case ("unready again, to stop", .ready):
      ("ready", [.signal(SIGTERM), .sayReadAgain(after: .milliseconds(milliseconds))])
    case ("unready", .died(.exit(let status))), ("unready, to stop", .died(.exit(let status))):
      ("ended", [.end(status)])
    case ("unready again", .died(let end)), ("unready again, to stop", .died(let end)),
      ("unready", .died(let end)), ("unready, to stop", .died(let end)):
      ("starting", [.replace(end)])
    case ("unready, to stop", .signal(let signal)) where signal != SIGHUP,
      ("unready again, to stop", .signal(let signal)) where signal != SIGHUP,
      ("given up", .signal(let signal)) where signal != SIGHUP:
      ("unready", [.signal(signal)])
    case ("unready, to stop", .tick) where milliseconds >= 10_000:
      ("unready", [.signal(SIGKILL)])
    case ("given up", .died): ("ended", [.end(1)])
    case ("given up", .ready): ("ready", [.signal(SIGTERM)])
    case ("given up", _): ("unready", [])
    case (_, .died(.exit(let status))) where state == "ready": ("ended", [.end(status)])
    case (_, .died(let end)) where state == "ready": ("starting", [.replace(end)])
    case (_, .signal(let signal)) where state == "ready": ("ready", [.signal(signal)])
    default: (String(state), [])
    }
  }

  private static func name(_ state: WorkerLife.State) -> String {
    switch state {
    case .starting: "starting"
    case .unready: "unready"
    case .ready: "ready"
    case .ended: "ended"
    }
  }

  private static func worker(_ events: [Event]) -> WorkerLife {
    var life = WorkerLife(now: at(0))
    for event in events { _ = life.handle(event, now: at(event == .tick ? 10_000 : 0)) }
    return life
  }

  @Test func `takes every event in every state as the table says`() {
    for way in Self.ways {
      for event in Self.events {
        for milliseconds: Int64 in [0, 9999, 10_000, 60_000] {
          var life = Self.worker(way.events)
          let actions = life.handle(event, now: Self.at(milliseconds))
          let (state, wanted) = Self.expected(way.name, event, milliseconds)
          let what: Comment = "\(event) when \(way.name) after \(milliseconds) ms"
          #expect(Self.name(life.state) == state, what)
          #expect(actions == wanted, what)
        }
      }
    }
  }

  @Test func `gets each signal that came before it was ready, once and in order`() {
    for way in [[], Self.started] {
      var life = Self.worker(way)
      for signal in [SIGHUP, SIGUSR1, SIGHUP] {
        #expect(life.handle(.signal(signal), now: Self.at(0)) == [])
      }
      if way.isEmpty { _ = life.handle(.started(true), now: Self.at(0)) }
      let actions = life.handle(.ready, now: Self.at(0))
      #expect(actions == [.signal(SIGHUP), .signal(SIGUSR1)])
      _ = life.handle(.died(.signal(SIGKILL)), now: Self.at(0))
      _ = life.handle(.started(true), now: Self.at(0))
      #expect(life.handle(.ready, now: Self.at(0)) == [.sayReadAgain(after: .zero)])
    }
  }

  /// - Returns: for how many milliseconds a worker that ended like that is not replaced.
  private func delay(
    _ life: inout WorkerLife, _ events: [Event], _ now: inout Moment
  ) throws -> Int64 {
    for event in events { _ = life.handle(event, now: now) }
    let due = try #require(life.deadline)
    if due > now {
      #expect(life.handle(.tick, now: Moment(nanoseconds: due.nanoseconds - 1)) == [])
    }
    defer { now = due }
    #expect(life.handle(.tick, now: due).count == 1)
    return (due.nanoseconds - now.nanoseconds) / 1_000_000
  }

  @Test func `that dies before it reads is started less and less often`() throws {
    var life = Self.worker([])
    var now = Self.at(0)
    var delays: [Int64] = []
    for count in 0..<9 {
      let events: [Event] =
        count % 2 == 0 ? [.started(false)] : [.started(true), .died(.signal(SIGKILL))]
      delays.append(try delay(&life, events, &now))
    }
    #expect(delays == [0, 0, 200, 400, 800, 1600, 3200, 5000, 5000])
    // One that has read is replaced at once, and so are the first that die early after it.
    #expect(try delay(&life, [.started(true), .ready, .died(.signal(9))], &now) == 0)
    #expect(try delay(&life, [.started(true), .died(.signal(9))], &now) == 0)
  }

  @Test func `that is to stop and dies early is started twice more`() {
    var life = Self.worker(Self.again + [.started(true), Self.stop])
    for _ in 0..<2 {
      #expect(
        life.handle(.died(.signal(SIGKILL)), now: Self.at(0)) == [.replace(.signal(SIGKILL))])
      #expect(life.handle(.tick, now: Self.at(0)) == [.start(asCopy: false)])
      _ = life.handle(.started(true), now: Self.at(0))
    }
    let last = life.handle(.died(.exit(0)), now: Self.at(0))
    #expect(last == [.replace(.exit(0)), .end(1)])
    #expect(life.deadline == nil)
  }

  @Test func `that is to stop and cannot be started is given up after ten seconds`() throws {
    var life = Self.worker([Self.stop])
    var now = Self.at(0)
    for _ in 0..<100 {
      let actions = life.handle(.tick, now: now)
      if actions == [.end(1)] { break }
      #expect(actions == [.start(asCopy: true)])
      #expect(life.handle(.started(false), now: now) == [])
      now = try #require(life.deadline)
    }
    #expect(life.state == .ended(1))
    #expect(now == Self.at(10_000))
  }

  @Test func `counts deaths in a row by its own fault`() {
    var life = Self.worker([])
    let deaths: [(end: ChildEnd, crashes: Int)] = [
      (.signal(SIGSEGV), 1), (.signal(SIGBUS), 2), (.signal(SIGILL), 3), (.signal(SIGTRAP), 4),
      (.signal(SIGABRT), 5), (.signal(SIGFPE), 6), (.signal(SIGKILL), 0), (.signal(SIGSEGV), 1),
      (.exit(1), 0), (.signal(SIGILL), 1),
    ]
    for (count, death) in deaths.enumerated() {
      _ = life.handle(.started(true), now: Self.at(0))
      if case .signal = death.end, count % 2 == 1 { _ = life.handle(.ready, now: Self.at(0)) }
      _ = life.handle(.died(death.end), now: Self.at(0))
      #expect(life.crashes == death.crashes, "after \(death.end)")
    }
  }

  /// Random events, with a process that the actions make and end.
  @Test func `is never started beside another, and gets no signal that it would die of`() {
    var random = Seeded(of: "worker")
    for _ in 0..<2000 {
      var life = WorkerLife(now: Self.at(0))
      var now = Self.at(0)
      var runs = false
      var isReady = false
      var stops = 0
      for _ in 0..<40 {
        now = now + .milliseconds(random.number(below: 3000))
        let event = Self.events[random.number(below: Self.events.count)]
        switch event {
        case .started: if runs { continue }
        case .ready, .died: if !runs { continue }
        case .signal(let number): if number != SIGHUP { stops += 1 }
        case .tick: break
        }
        let actions = life.handle(event, now: now)
        if case .ended = life.state { break }
        switch event {
        case .started(let isThere): (runs, isReady) = (isThere, false)
        case .ready: isReady = true
        case .died: (runs, isReady) = (false, false)
        case .signal, .tick: break
        }
        for action in actions {
          switch action {
          case .start: #expect(!runs)
          case .signal(SIGHUP): #expect(isReady)
          case .signal(SIGKILL): #expect(runs && !isReady && stops > 0)
          case .signal: #expect(isReady || stops > 1)
          case .replace, .sayReadAgain, .end: break
          }
        }
      }
    }
  }
}

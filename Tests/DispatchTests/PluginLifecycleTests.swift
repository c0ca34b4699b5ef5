import Linux
import Testing

@testable import AuditDispatch

@Suite("The life of a plugin's child")
struct PluginLifecycleTests {
  private typealias Life = PluginLifecycle

  private static func at(_ seconds: Double) -> Moment {
    Moment(nanoseconds: Int64(seconds * 1e9))
  }

  /// Brings a life into each of its states, by what happens to a plugin.
  private static let states: [(String, @Sendable () -> Life)] = [
    ("starting", { Life(policy: .init()) }),
    ("launching", { launching() }),
    ("launching to stop", { launching([.stop(.stop)]) }),
    ("hung", { launching([.tick]) }),
    ("given up for another", { launching([.stop(.restart)]) }),
    ("hung to stop", { launching([.stop(.remove), .tick]) }),
    ("running", { running() }),
    ("backing off", { after([.exited(progress: false)]) }),
    (
      "held",
      {
        after(
          Array(repeating: [.exited(progress: false), .tick, .launched, .spawned], count: 11)
            .flatMap { $0 }.dropLast(3))
      }
    ),
    ("draining", { after([.stop(.stop)]) }),
    ("ending", { after([.stop(.stop), .drained]) }),
    ("terminating", { after([.stop(.stop), .drained, .tick]) }),
    ("killed", { after([.stop(.stop), .drained, .tick, .tick]) }),
    ("stopped", { after([.stop(.stop), .exited(progress: true)]) }),
  ]

  private static func running() -> Life {
    var life = launching()
    _ = life.handle(.spawned, now: at(0), jitter: 1)
    return life
  }

  /// A first child that is on its way, and what follows a hundred seconds apart.
  private static func launching(_ events: [Life.Event] = []) -> Life {
    var life = Life(policy: .init())
    launch(&life, at(0))
    for (index, event) in events.enumerated() {
      _ = life.handle(event, now: at(Double(index + 1) * 100), jitter: 1)
    }
    return life
  }

  private static func launch(_ life: inout Life, _ now: Moment) {
    _ = life.handle(.tick, now: now, jitter: 1)
    _ = life.handle(.launched, now: now, jitter: 1)
  }

  /// What follows one after another, a hundred seconds apart.
  private static func after(_ events: [Life.Event]) -> Life {
    var life = running()
    for (index, event) in events.enumerated() {
      _ = life.handle(event, now: at(Double(index + 1) * 100), jitter: 1)
    }
    return life
  }

  private static let events: [(String, Life.Event)] = [
    ("tick", .tick), ("launched", .launched), ("not launched", .notLaunched), ("spawned", .spawned),
    ("spawn failed", .spawnFailed),
    ("exited", .exited(progress: true)), ("died", .exited(progress: false)),
    ("stop", .stop(.stop)), ("remove", .stop(.remove)), ("restart", .stop(.restart)),
    ("drained", .drained), ("resume", .resume),
  ]

  /// What each event does in each state, long after the state began: the action, and the state then.
  private static let table: [String: [String: String]] = [
    "starting": [
      "tick": "spawn", "launched": "→ launching()", "spawn failed": "→ backingOff",
      "stop": "finished(stop) → stopped", "remove": "finished(remove) → stopped",
    ],
    "launching": [
      "not launched": "→ starting", "tick": "abandon → givingUp()", "spawned": "→ running",
      "spawn failed": "→ backingOff",
      "stop": "→ launching(stop)", "remove": "→ launching(remove)",
      "restart": "abandon → givingUp(restart)",
    ],
    "launching to stop": [
      "not launched": "finished(stop) → stopped", "tick": "abandon → givingUp(stop)",
      "spawned": "→ draining(stop)",
      "spawn failed": "finished(stop) → stopped", "remove": "→ launching(remove)",
      "restart": "abandon → givingUp(restart)",
    ],
    "hung": [
      "tick": "→ backingOff", "exited": "→ backingOff", "died": "→ backingOff",
      "stop": "→ givingUp(stop)", "remove": "→ givingUp(remove)",
      "restart": "→ givingUp(restart)",
    ],
    "given up for another": [
      "tick": "spawn → starting", "exited": "spawn → starting", "died": "spawn → starting",
      "stop": "→ givingUp(stop)", "remove": "→ givingUp(remove)",
    ],
    "hung to stop": [
      "tick": "finished(remove) → stopped", "exited": "finished(remove) → stopped",
      "died": "finished(remove) → stopped", "stop": "→ givingUp(stop)",
      "restart": "→ givingUp(restart)",
    ],
    "running": [
      "exited": "→ backingOff", "died": "→ backingOff", "stop": "→ draining(stop)",
      "remove": "→ draining(remove)", "restart": "endInput → ending(restart)",
    ],
    "backing off": [
      "tick": "spawn", "launched": "→ launching()", "spawn failed": "→ backingOff",
      "stop": "finished(stop) → stopped", "remove": "finished(remove) → stopped",
      "restart": "spawn → starting", "resume": "spawn → starting",
    ],
    "held": [
      "tick": "spawn", "launched": "→ launching()", "spawn failed": "hold → held",
      "stop": "finished(stop) → stopped", "remove": "finished(remove) → stopped",
      "restart": "spawn → starting", "resume": "spawn → starting",
    ],
    "draining": [
      "tick": "endInput → ending(stop)", "exited": "finished(stop) → stopped",
      "died": "finished(stop) → stopped", "remove": "→ draining(remove)",
      "restart": "endInput → ending(restart)", "drained": "endInput → ending(stop)",
    ],
    "ending": [
      "tick": "terminate → terminating(stop)", "exited": "finished(stop) → stopped",
      "died": "finished(stop) → stopped", "remove": "→ ending(remove)",
      "restart": "→ ending(restart)",
    ],
    "terminating": [
      "tick": "kill → killed(stop)", "exited": "finished(stop) → stopped",
      "died": "finished(stop) → stopped", "remove": "→ terminating(remove)",
      "restart": "→ terminating(restart)",
    ],
    "killed": [
      "exited": "finished(stop) → stopped", "died": "finished(stop) → stopped",
      "remove": "→ killed(remove)", "restart": "→ killed(restart)",
    ],
    "stopped": [
      "stop": "finished(stop)", "remove": "finished(remove)", "restart": "spawn → starting",
      "resume": "spawn → starting",
    ],
  ]

  private static func word(_ state: Life.State) -> String {
    switch state {
    case .starting: "starting"
    case .launching(let goal, _): "launching(\(goal.map { "\($0)" } ?? ""))"
    case .givingUp(let goal, _): "givingUp(\(goal.map { "\($0)" } ?? ""))"
    case .running: "running"
    case .backingOff: "backingOff"
    case .held: "held"
    case .stopping(let step, let goal, _): "\(step)(\(goal))"
    case .stopped: "stopped"
    }
  }

  private static func word(_ action: Life.Action) -> String {
    switch action {
    case .none: ""
    case .hold: "hold"
    case .finished(let goal): "finished(\(goal))"
    default: "\(action)"
    }
  }

  @Test(arguments: states.map(\.0))
  func `each event in each state does what the table says`(_ name: String) throws {
    let make = try #require(Self.states.first { $0.0 == name }).1
    for (eventName, event) in Self.events {
      var life = make()
      let before = life.state
      let action = Self.word(life.handle(event, now: Self.at(100_000), jitter: 1))
      let change = life.state == before ? "" : "→ " + Self.word(life.state)
      let said = [action, change].filter { !$0.isEmpty }.joined(separator: " ")
      let repeated = Self.word(before) == Self.word(life.state) && life.state != before
      let expected = Self.table[name]?[eventName] ?? ""
      #expect(said == expected || (repeated && expected.hasSuffix(said)), "\(eventName)")
    }
  }

  @Test func `the pause doubles from 100 ms to 30 s while it dies without reading`() {
    var policy = Life.Policy()
    policy.maxRestarts = 100
    var life = Life(policy: policy)
    var pauses: [Double] = []
    for _ in 0..<12 {
      Self.launch(&life, Self.at(0))
      _ = life.handle(.spawned, now: Self.at(0), jitter: 1)
      _ = life.handle(.exited(progress: false), now: Self.at(0), jitter: 1)
      if case .backingOff(let until) = life.state { pauses.append((until - Self.at(0)).inSeconds) }
      Self.launch(&life, Self.at(1000))
      _ = life.handle(.spawned, now: Self.at(1000), jitter: 1)
    }
    #expect(pauses == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30, 30, 30])
  }

  @Test func `reading anything brings the pause back to its beginning`() {
    var life = Self.after([
      .exited(progress: false), .tick, .launched, .spawned, .exited(progress: false), .tick,
      .launched, .spawned,
    ])
    #expect(life.deaths == 2)
    _ = life.handle(.exited(progress: true), now: Self.at(1000), jitter: 1)
    #expect(life.deaths == 0)
    #expect(life.state == .backingOff(until: Self.at(1000.1)))
  }

  @Test func `more deaths without reading than allowed hold it`() {
    var policy = Life.Policy()
    policy.maxRestarts = 2
    var life = Life(policy: policy)
    var actions: [Life.Action] = []
    for round in 0..<3 {
      let now = Self.at(Double(round) * 100)
      Self.launch(&life, now)
      _ = life.handle(.spawned, now: now, jitter: 1)
      actions.append(life.handle(.exited(progress: false), now: now, jitter: 1))
    }
    #expect(actions == [.none, .none, .hold(deaths: 3)])
    #expect(life.state == .held(until: Self.at(260)))
    #expect(life.restarts == 2)
  }

  @Test func `with max_restarts = 0 it is not started again`() {
    var policy = Life.Policy()
    policy.maxRestarts = 0
    var life = Life(policy: policy)
    Self.launch(&life, Self.at(0))
    _ = life.handle(.spawned, now: Self.at(0), jitter: 1)
    #expect(life.handle(.exited(progress: true), now: Self.at(1), jitter: 1) == .retire)
    #expect(life.state == .stopped)
    #expect(life.deadline == nil)
  }

  @Test func `a restart keeps one generation until the other has ended`() {
    var life = Self.running()
    #expect(life.handle(.stop(.restart), now: Self.at(1), jitter: 1) == .endInput)
    #expect(life.hasChild)
    #expect(life.handle(.tick, now: Self.at(2), jitter: 1) == .none)
    #expect(life.handle(.exited(progress: false), now: Self.at(2), jitter: 1) == .spawn)
    #expect(!life.hasChild)
  }

  @Test(arguments: states.map(\.0))
  func `has its time to end anew where what it prints is waited for, and nothing else changes`(
    _ name: String
  ) throws {
    let before = try #require(Self.states.first { $0.0 == name }).1()
    var after = before
    after.postpone(Self.at(5000))
    switch before.state {
    case .stopping(.draining, _, _):
      #expect(after.deadline == Self.at(5000) + before.policy.drain)
    case .stopping(.ending, _, _):
      #expect(after.deadline == Self.at(5000) + before.policy.endToTerm)
    case .stopping(.terminating, _, _):
      #expect(after.deadline == Self.at(5000) + before.policy.termToKill)
    case .starting, .launching, .givingUp, .running, .backingOff, .held, .stopped,
      .stopping(.killed, _, _):
      #expect(after == before)
    }
  }

  @Test func `a start is waited for ten seconds, and a stop no longer than for a drain`() {
    let life = Self.launching()
    #expect(life.deadline == Self.at(10))
    #expect(life.hasChild && life.isLaunching && !life.takesInput && !life.isStopping)
    for (moment, end) in [(1.0, 6.0), (8.0, 10.0)] {
      var stopped = life
      #expect(stopped.handle(.stop(.stop), now: Self.at(moment), jitter: 1) == .none)
      #expect(stopped.deadline == Self.at(end))
      #expect(stopped.isStopping)
      #expect(stopped.handle(.tick, now: Self.at(end), jitter: 1) == .abandon)
      #expect(stopped.handle(.tick, now: Self.at(end + 0.9), jitter: 1) == .none)
      #expect(stopped.handle(.tick, now: Self.at(end + 1), jitter: 1) == .finished(.stop))
    }
  }

  @Test func `a start that hangs counts as a death, and the next one waits`() {
    var life = Self.launching()
    for attempt in 1...3 {
      #expect(life.handle(.tick, now: Self.at(100), jitter: 1) == .abandon)
      #expect(life.handle(.exited(progress: false), now: Self.at(100), jitter: 1) == .none)
      #expect(life.deaths == attempt)
      let pause = 0.1 * Double(1 << (attempt - 1))
      #expect(life.state == .backingOff(until: Self.at(100 + pause)))
      #expect(life.handle(.tick, now: Self.at(101), jitter: 1) == .spawn)
      #expect(life.handle(.launched, now: Self.at(90), jitter: 1) == .none)
    }
    #expect(life.restarts == 0)
  }
}

import Keeper
import Linux

/// When a plugin's child is started, watched, restarted and stopped: a value without a clock, a
/// descriptor or chance. Its owner performs what it returns and tells it what happened.
struct PluginLifecycle: Equatable, Sendable {
  struct Policy: Equatable, Sendable {
    /// Deaths in a row without progress before the plugin is held; 0: never restarted.
    var maxRestarts = 10
    var delay = Duration.milliseconds(100)
    var delayMax = Duration.seconds(30)
    var heldDelay = Duration.seconds(60)
    /// How long a stopping plugin may take to read its queue.
    var drain = Duration.seconds(5)
    /// From the end of its input to SIGTERM, and from there to SIGKILL.
    var endToTerm = OrphanEnd.patience
    var termToKill = OrphanEnd.patienceAfterRequest
    /// How long a child may take to become its program, and one that was killed before that to end.
    var launch = Duration.seconds(10)
    var killToEnd = Duration.seconds(1)

    init() {}

    /// `nil`: it ends, or nothing more can be done.
    func time(for step: Step) -> Duration? {
      switch step {
      case .draining: drain
      case .ending: endToTerm
      case .terminating: termToKill
      case .killed: nil
      }
    }
  }

  /// Why a running plugin is being stopped, which decides what follows its end.
  enum Goal: Equatable, Sendable {
    /// The dispatcher stops.
    case stop
    /// The plugin was taken out of the configuration.
    case remove
    /// A successor follows: other arguments, another executable, or it had stalled.
    case restart
  }

  /// How far a child is with its end.
  enum Step: Equatable, Sendable {
    /// Reads what is queued for it.
    case draining
    /// Its input has ended.
    case ending
    /// SIGTERM was sent.
    case terminating
    /// SIGKILL was sent.
    case killed
  }

  enum State: Equatable, Sendable {
    case starting
    /// A child is on its way to its program; with a goal, what follows once it is there.
    case launching(Goal?, until: Moment)
    /// It was not to be waited for any longer, and was killed; without a goal it hung.
    case givingUp(Goal?, until: Moment)
    case running
    case backingOff(until: Moment)
    case held(until: Moment)
    /// `nil`: until it has ended.
    case stopping(Step, Goal, until: Moment?)
    case stopped
  }

  enum Event: Equatable, Sendable {
    /// The moment has come to start, or time has passed.
    case tick
    /// A child was asked for.
    case launched
    /// There is no child after all: who was to make it is gone.
    case notLaunched
    /// The child has become its program.
    case spawned
    case spawnFailed
    /// The child is gone; whether it had read anything since its start.
    case exited(progress: Bool)
    case stop(Goal)
    /// Everything queued was read.
    case drained
    /// Somebody asks for a plugin that is held or backing off to be tried now.
    case resume
  }

  enum Action: Equatable, Sendable {
    case none
    case spawn
    /// The child that is on its way is to be killed.
    case abandon
    /// End of file for the child.
    case endInput
    case terminate
    case kill
    /// Nothing is left to do for this child, and no successor comes.
    case finished(Goal)
    /// It died `deaths` times without progress: it is held from now on.
    case hold(deaths: Int)
    /// It died and, with `max_restarts = 0`, is not started again.
    case retire
  }

  private(set) var state = State.starting
  var policy: Policy
  /// Deaths in a row without progress.
  private(set) var deaths = 0
  /// Starts after the first.
  private(set) var restarts = 0
  private var hasStarted = false

  init(policy: Policy) { self.policy = policy }

  /// Goes on counting where a predecessor had come, whose child is gone.
  mutating func adopt(restarts: Int) {
    self.restarts = restarts
    hasStarted = true
  }

  /// Somebody is waited for who takes what the child has to say: its time to end begins anew.
  mutating func postpone(_ now: Moment) {
    guard case .stopping(let step, let goal, _) = state else { return }
    state = .stopping(step, goal, until: policy.time(for: step).map { now + $0 })
  }

  /// - Parameter jitter: 0.8 to 1.2, a factor on the pause before a restart.
  mutating func handle(_ event: Event, now: Moment, jitter: Double) -> Action {
    switch (state, event) {
    case (.starting, .tick): return .spawn
    case (.backingOff(let until), .tick) where now >= until,
      (.held(let until), .tick) where now >= until:
      return .spawn
    case (.backingOff, .resume), (.held, .resume), (.stopped, .resume): return ended(.restart)

    case (.starting, .launched), (.backingOff, .launched), (.held, .launched):
      state = .launching(nil, until: now + policy.launch)
      return .none
    case (.launching(let goal, _), .spawned):
      if hasStarted { restarts += 1 }
      hasStarted = true
      if let goal { return begin(.draining, goal, now) }
      state = .running
      return .none
    case (.launching(nil, _), .notLaunched):
      state = .starting
      return .none
    case (.launching(let goal?, _), .notLaunched): return ended(goal)
    case (.launching(let goal, _), .spawnFailed), (.givingUp(let goal, _), .exited):
      return wasNoProgram(goal, now: now, jitter: jitter)
    case (.givingUp(let goal, let until), .tick) where now >= until:
      return wasNoProgram(goal, now: now, jitter: jitter)
    case (.launching(let goal, let until), .tick) where now >= until:
      state = .givingUp(goal, until: now + policy.killToEnd)
      return .abandon
    case (.launching, .stop(.restart)):
      state = .givingUp(.restart, until: now + policy.killToEnd)
      return .abandon
    case (.launching(_, let until), .stop(let goal)):
      state = .launching(goal, until: min(until, now + policy.drain))
      return .none
    case (.givingUp(_, let until), .stop(let goal)):
      state = .givingUp(goal, until: until)
      return .none
    case (.starting, .spawnFailed), (.backingOff, .spawnFailed), (.held, .spawnFailed):
      return died(progress: false, now: now, jitter: jitter)

    case (.running, .exited(let progress)):
      return died(progress: progress, now: now, jitter: jitter)
    case (.running, .stop(.restart)), (.stopping(.draining, _, _), .stop(.restart)):
      return begin(.ending, .restart, now)
    case (.running, .stop(let goal)): return begin(.draining, goal, now)
    case (.stopping(let step, _, let until), .stop(let goal)):
      state = .stopping(step, goal, until: until)
      return .none
    case (.stopping(_, let goal, _), .exited): return ended(goal)
    case (.stopping(.draining, let goal, _), .drained): return begin(.ending, goal, now)
    case (.stopping(let step, let goal, let until?), .tick) where now >= until:
      let next: Step = step == .draining ? .ending : step == .ending ? .terminating : .killed
      return begin(next, goal, now)

    case (.starting, .stop(.restart)): return .none
    case (.starting, .stop(let goal)), (.backingOff, .stop(let goal)), (.held, .stop(let goal)),
      (.stopped, .stop(let goal)):
      return ended(goal)

    default: return .none
    }
  }

  private mutating func begin(_ step: Step, _ goal: Goal, _ now: Moment) -> Action {
    state = .stopping(step, goal, until: policy.time(for: step).map { now + $0 })
    return switch step {
    case .draining: .none
    case .ending: .endInput
    case .terminating: .terminate
    case .killed: .kill
    }
  }

  /// There is no child.
  private mutating func ended(_ goal: Goal) -> Action {
    if goal == .restart {
      deaths = 0
      state = .starting
      return .spawn
    }
    state = .stopped
    return .finished(goal)
  }

  /// A child never became its program, and never will.
  private mutating func wasNoProgram(_ goal: Goal?, now: Moment, jitter: Double) -> Action {
    guard let goal else { return died(progress: false, now: now, jitter: jitter) }
    return ended(goal)
  }

  private mutating func died(progress: Bool, now: Moment, jitter: Double) -> Action {
    deaths = progress ? 0 : deaths + 1
    if policy.maxRestarts == 0 {
      state = .stopped
      return .retire
    }
    if deaths > policy.maxRestarts {
      state = .held(until: now + policy.heldDelay)
      return .hold(deaths: deaths)
    }
    // 100 ms, 200 ms, 400 ms, … up to the longest.
    let doubled = policy.delay * (1 << min(max(deaths, 1) - 1, 20))
    state = .backingOff(until: now + min(doubled, policy.delayMax) * jitter)
    return .none
  }
}

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
    var endToTerm = Duration.seconds(2)
    var termToKill = Duration.seconds(3)
    /// How long a child may take to become its program, and one that was killed before that to end.
    var launch = Duration.seconds(10)
    var killToEnd = Duration.seconds(1)

    init() {}
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

  enum State: Equatable, Sendable {
    case starting
    /// A child is on its way to its program; with a goal, what follows once it is there.
    case launching(Goal?, until: Moment)
    /// It was not to be waited for any longer, and was killed; without a goal it hung.
    case givingUp(Goal?, until: Moment)
    case running
    case backingOff(until: Moment)
    case held(until: Moment)
    /// Reads what is queued for it.
    case draining(Goal, until: Moment)
    /// Its input has ended.
    case ending(Goal, until: Moment)
    /// SIGTERM was sent.
    case terminating(Goal, until: Moment)
    /// SIGKILL was sent.
    case killed(Goal)
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
    switch state {
    case .draining(let goal, _): state = .draining(goal, until: now + policy.drain)
    case .ending(let goal, _): state = .ending(goal, until: now + policy.endToTerm)
    case .terminating(let goal, _): state = .terminating(goal, until: now + policy.termToKill)
    case .starting, .launching, .givingUp, .running, .backingOff, .held, .killed, .stopped: break
    }
  }

  /// - Parameter jitter: 0.8 to 1.2, a factor on the pause before a restart.
  mutating func handle(_ event: Event, now: Moment, jitter: Double) -> Action {
    switch (state, event) {
    case (.starting, .tick): return .spawn
    case (.backingOff(let until), .tick) where now >= until,
      (.held(let until), .tick) where now >= until:
      return .spawn
    case (.backingOff, .resume), (.held, .resume), (.stopped, .resume):
      deaths = 0
      state = .starting
      return .spawn

    case (.starting, .launched), (.backingOff, .launched), (.held, .launched):
      state = .launching(nil, until: now + policy.launch)
      return .none
    case (.launching(let goal, _), .spawned):
      if hasStarted { restarts += 1 }
      hasStarted = true
      state = goal.map { .draining($0, until: now + policy.drain) } ?? .running
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
    case (.draining(let goal, _), .exited), (.ending(let goal, _), .exited),
      (.terminating(let goal, _), .exited), (.killed(let goal), .exited):
      return ended(goal)

    case (.running, .stop(.restart)):
      state = .ending(.restart, until: now + policy.endToTerm)
      return .endInput
    case (.running, .stop(let goal)):
      state = .draining(goal, until: now + policy.drain)
      return .none
    case (.draining, .stop(.restart)):
      state = .ending(.restart, until: now + policy.endToTerm)
      return .endInput
    case (.draining(_, let until), .stop(let goal)):
      state = .draining(goal, until: until)
      return .none
    case (.ending(_, let until), .stop(let goal)):
      state = .ending(goal, until: until)
      return .none
    case (.terminating(_, let until), .stop(let goal)):
      state = .terminating(goal, until: until)
      return .none
    case (.killed, .stop(let goal)):
      state = .killed(goal)
      return .none
    case (.starting, .stop(.restart)): return .none
    case (.backingOff, .stop(.restart)), (.held, .stop(.restart)):
      deaths = 0
      state = .starting
      return .spawn
    case (.starting, .stop(let goal)), (.backingOff, .stop(let goal)), (.held, .stop(let goal)):
      state = .stopped
      return .finished(goal)
    case (.stopped, .stop(.restart)):
      deaths = 0
      state = .starting
      return .spawn
    case (.stopped, .stop(let goal)): return .finished(goal)

    case (.draining(let goal, _), .drained):
      state = .ending(goal, until: now + policy.endToTerm)
      return .endInput
    case (.draining(let goal, let until), .tick) where now >= until:
      state = .ending(goal, until: now + policy.endToTerm)
      return .endInput
    case (.ending(let goal, let until), .tick) where now >= until:
      state = .terminating(goal, until: now + policy.termToKill)
      return .terminate
    case (.terminating(let goal, let until), .tick) where now >= until:
      state = .killed(goal)
      return .kill

    default: return .none
    }
  }

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

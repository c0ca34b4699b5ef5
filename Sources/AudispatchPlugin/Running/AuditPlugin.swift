/// What every plugin has: configuration, a beginning, an end, and what comes in between.
///
/// A plugin conforms to `AuditPlugin` or to `RecordPlugin`, and `PluginSession` does the rest. All
/// calls come on one thread, in the order of the input; another thread reads meanwhile. An error
/// that a plugin throws ends it, with status 1. Every requirement has a default.
public protocol PluginLifeCycle: ~Copyable {
  /// What can be configured.
  associatedtype Options: PluginOptions = NoOptions

  /// When what was handed out counts as done, for a dispatcher that asks (`confirm = yes`).
  var doneWhen: DoneWhen { get }

  /// Whether the plugin takes more now. While it does not, what is read waits, in bounded memory (2 MiB),
  /// then in the dispatcher's queue. Asked before each call of `handle`.
  var wantsMore: Bool { get }

  /// How long records may be let gather in the input, so that many are read at once: what each
  /// costs falls from 20 µs to less than 1 µs where they are written one by one. Only what comes
  /// shortly behind others waits, and less the more comes; zero, the default, is for plugins whose
  /// users watch.
  var gathering: Duration { get }

  /// A descriptor that is waited for beside the input: when it is readable, `wake` is called.
  /// `Poller.number` stands for many.
  var watched: Int32? { get }

  /// When `wake` is to be called at the latest, by `MonotonicTime`.
  var deadline: Duration? { get }

  /// `watched` is readable, or `deadline` has come.
  mutating func wake() throws

  /// SIGHUP, with the configuration as it is now, checked: time to open files again.
  ///
  /// It is not called when the new configuration has an error; that is logged, and the old one
  /// stays.
  mutating func reload(_ options: Options) throws

  /// Nothing waits to be handled: a good time to write out what was put together.
  mutating func idle() throws

  /// The input has ended, and nobody ends this process for that, as its input is a file or a pipe that
  /// was given by hand: whether something waits to be taken elsewhere. If so, the plugin goes on, by
  /// `wake`, and is asked again, until nothing waits or SIGTERM comes; `finish` is next.
  mutating func outlastsInput() throws -> Bool

  /// The end: of the input, or by SIGTERM, after everything that waited was handled. What is
  /// to be confirmed must be by the time it returns. The dispatcher kills a plugin about 5 s after
  /// the end of its input, and 3 s after SIGTERM.
  mutating func finish() throws

  /// `finish`, for a plugin that could wait for others then: it shall not go on beyond that moment
  /// of `MonotonicTime`, at most 2.2 s behind SIGTERM, so that it ends before it is killed.
  ///
  /// The default calls `finish`, which is not called otherwise.
  mutating func finish(by end: Duration) throws

  /// Whether something that it took is stored or sent nowhere, and nobody will give it again: asked
  /// at the end. The program's exit status is 74 then.
  var hasLost: Bool { get }

  /// The plugin's own counters, for the line of counters at SIGUSR1 and at the end.
  var figures: [(name: String, value: Int)] { get }
}

/// A plugin that takes events.
public protocol AuditPlugin: PluginLifeCycle, ~Copyable {
  /// Takes an event.
  mutating func handle(_ event: AuditEvent) throws

  /// Looks at an event as soon as it comes: `handle` may get it later, where it stands for others that
  /// are alike, and those never. What is found out can go with it, as `companion`. `false` for one
  /// that is not wanted: it stands for nothing, and nothing for it. Only `LessVolume` asks.
  mutating func look(at event: inout AuditEvent) -> Bool
}

extension AuditPlugin where Self: ~Copyable {
  public mutating func look(at event: inout AuditEvent) -> Bool { true }
}

/// A plugin that takes records as they come, without events being put together: cheaper, in the
/// exact order of the input, and without waiting for an event's end.
public protocol RecordPlugin: PluginLifeCycle, ~Copyable {
  /// Takes some records that were read together, at most 64 KiB of them.
  mutating func handle(_ records: RecordBatch) throws
}

/// When what was handed out is done, so that the dispatcher need not keep it.
public enum DoneWhen: Sendable {
  /// When `handle` returns.
  case handled
  /// When the plugin says so: `Confirmations.done(through:)`.
  case told
}

extension PluginLifeCycle where Self: ~Copyable {
  public var doneWhen: DoneWhen { .handled }
  public var wantsMore: Bool { true }
  public var gathering: Duration { .zero }
  public var hasLost: Bool { false }
  public var watched: Int32? { nil }
  public var deadline: Duration? { nil }
  public mutating func wake() {}
  public mutating func reload(_ options: Options) {}
  public mutating func idle() {}
  public mutating func outlastsInput() -> Bool { false }
  public mutating func finish() {}
  public mutating func finish(by end: Duration) throws { try finish() }
  public var figures: [(name: String, value: Int)] { [] }
}

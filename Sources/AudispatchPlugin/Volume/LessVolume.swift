import AuditRecord
import Linux

/// A plugin that gets events with secrets taken out, and one for several that are alike.
///
///     var plugin = try LessVolume(Example(), rules, session.confirmations)
///     try session.run(&plugin)
///
/// A window ends with the first event behind it, or when nothing came for so long; and not while a
/// record from before its end belongs to an event that is still incomplete: after a crash that
/// record, and all behind it, would come again, though the window was done.
public struct LessVolume<Plugin: AuditPlugin & ~Copyable>: AuditPlugin, ~Copyable {
  public typealias Options = Plugin.Options

  /// How much longer than it should a window goes on for the sake of an incomplete event.
  private static var patience: Duration { .seconds(5) }
  /// What comes late still belongs to the window.
  private static var lateness: Duration { .seconds(1) }

  private var plugin: Plugin
  private let confirmations: Confirmations
  private let rules: @Sendable (Options) -> VolumeRules
  private var present: VolumeRules
  private var redactor: EventRedactor?
  private var aggregator: EventAggregator?
  /// Of a window that has ended, for as long as the plugin takes no more.
  private var ready: [AuditEvent] = []
  private var next = 0
  /// When the window ends, by the clock: nothing came for so long, that what comes is behind it.
  private var closesAt: Duration?
  /// When it ends at the latest, though an event is incomplete.
  private var endsAt: Duration?
  private var redacted = 0
  private var absorbed = 0

  /// - Parameter rules: where they stand among the plugin's options.
  public init(
    _ plugin: consuming Plugin, _ options: Options, _ confirmations: Confirmations,
    rules: @escaping @Sendable (Options) -> VolumeRules
  ) throws {
    self.plugin = plugin
    self.confirmations = confirmations
    self.rules = rules
    present = rules(options)
    (redactor, aggregator) = try Self.made(present)
  }

  private static func made(
    _ rules: VolumeRules
  ) throws(SecretPattern.Fault) -> (EventRedactor?, EventAggregator?) {
    (
      rules.redacts ? EventRedactor(try SecretFinder(rules.redaction)) : nil,
      rules.aggregation.window > .zero ? EventAggregator(rules.aggregation) : nil
    )
  }

  public var doneWhen: DoneWhen { .told }
  public var wantsMore: Bool { next == ready.count && plugin.wantsMore }
  public var gathering: Duration { plugin.gathering }
  public var watched: Int32? { plugin.watched }
  public var deadline: Duration? { [plugin.deadline, closesAt].compactMap { $0 }.min() }
  public var hasLost: Bool { plugin.hasLost || !confirmations.isAsked && next < ready.count }

  public var figures: [(name: String, value: Int)] {
    var figures = plugin.figures
    if present.redacts { figures.append(("redacted", redacted + (redactor?.count ?? 0))) }
    if present.aggregation.window > .zero {
      figures.append(("absorbed", absorbed + (aggregator?.absorbed ?? 0)))
    }
    return figures
  }

  public mutating func handle(_ event: AuditEvent) throws {
    var event = redactor?.redact(event) ?? event
    let isWanted = plugin.look(at: &event)
    guard let isOver = aggregator?.isOver(before: event) else { return try pass(event) }
    let now = MonotonicTime.now
    if isOver, mayClose(withLatest: false, now) { try close() }
    guard isWanted else { return try skip(event) }
    closesAt = now + present.aggregation.window + Self.lateness
    aggregator?.take(event)
  }

  /// An event that is not wanted is done with what came before it.
  private mutating func skip(_ event: AuditEvent) throws {
    if aggregator?.isEmpty == false {
      aggregator?.skip(event.token)
    } else if next < ready.count {
      ready[ready.count - 1].token = event.token
    } else {
      try pass(event)
    }
  }

  /// Whether nothing from before the window's end is still to come, or it was waited for in vain.
  private mutating func mayClose(withLatest: Bool, _ now: Duration) -> Bool {
    if confirmations.isGapless(withLatest: withLatest) { return true }
    guard let end = endsAt else {
      endsAt = now + Self.patience
      return false
    }
    return now >= end
  }

  private mutating func pass(_ event: AuditEvent) throws {
    try plugin.handle(event)
    if plugin.doneWhen == .handled { confirmations.done(through: event.token) }
  }

  /// Ends the window.
  private mutating func close() throws {
    closesAt = nil
    endsAt = nil
    if let closed = aggregator?.close() { ready += closed }
    try give()
  }

  /// Gives what is ready, as far as the plugin takes it.
  private mutating func give(all: Bool = false) throws {
    while next < ready.count, all || plugin.wantsMore {
      let event = ready[next]
      next += 1
      try pass(event)
    }
    guard next == ready.count, next > 0 else { return }
    ready.removeAll(keepingCapacity: true)
    next = 0
  }

  public mutating func idle() throws {
    try give()
    try plugin.idle()
  }

  public mutating func wake() throws {
    try plugin.wake()
    try give()
    let now = MonotonicTime.now
    guard let closesAt, closesAt <= now else { return }
    if mayClose(withLatest: true, now) {
      try close()
    } else {
      self.closesAt = now + .milliseconds(50)
    }
  }

  public mutating func reload(_ options: Options) throws {
    let new = rules(options)
    if new != present {
      if let closed = aggregator?.close() { ready += closed }
      (closesAt, endsAt) = (nil, nil)
      redacted += redactor?.count ?? 0
      absorbed += aggregator?.absorbed ?? 0
      (redactor, aggregator) = try Self.made(new)
      present = new
    }
    try plugin.reload(options)
    try give()
  }

  /// Nothing more comes that is alike.
  public mutating func outlastsInput() throws -> Bool {
    if let closed = aggregator?.close() { ready += closed }
    closesAt = nil
    try give()
    return try plugin.outlastsInput() || next < ready.count
  }

  public mutating func finish(by end: Duration) throws {
    if let closed = aggregator?.close() { ready += closed }
    closesAt = nil
    try give(all: true)
    try plugin.finish(by: end)
  }
}

/// A plugin: what it does with events. `PluginSession` does the rest.
///
/// All calls come on one thread, in the order of the input.
public protocol AuditPlugin: ~Copyable {
  /// Takes an event. An error ends the plugin, with status 1.
  mutating func handle(_ event: AuditEvent) throws
  /// SIGHUP: reads its configuration again, opens its files again.
  mutating func reload() throws
  /// Nothing waits to be read: a good time to write out what was put together.
  mutating func idle() throws
  /// The end: of the input, or by SIGTERM, after everything that waited was handled.
  mutating func finish() throws
}

extension AuditPlugin where Self: ~Copyable {
  public mutating func reload() {}
  public mutating func idle() {}
  public mutating func finish() {}
}

/// What a plugin's session counted.
public struct PluginCounters: Equatable, Sendable {
  public var records = 0
  public var events = 0
  public var bytes = 0
  /// Stretches of input that were no record.
  public var malformed = 0
  /// EOE records whose event had been given out before.
  public var strayEnds = 0
}

/// What a plugin's session counted.
public struct PluginCounters: Equatable, Sendable {
  /// Records read.
  public var records = 0
  /// Events put together; 0 for a plugin of records.
  public var events = 0
  public var bytes = 0
  /// Stretches of input that were no record.
  public var malformed = 0
  /// EOE records whose event had been given out before, or never seen.
  public var strayEnds = 0
  /// Records that the dispatcher had to drop, by its own words in the stream.
  public var missed = 0
  /// Records in events that wait for their end.
  public var open = 0
  /// Records that were handed to the plugin.
  public var handled = 0

  /// `records=5 events=1 …`, every counter.
  func line(_ figures: [(name: String, value: Int)]) -> String {
    let own = [
      ("records", records), ("events", events), ("bytes", bytes), ("handled", handled),
      ("open", open), ("malformed", malformed), ("stray_ends", strayEnds), ("missed", missed),
    ]
    return (own + figures.map { ($0.name, $0.value) }).map { "\($0.0)=\($0.1)" }
      .joined(separator: " ")
  }
}

public import AudispatchPlugin
public import BulkIndexing
public import Configuration

/// The keywords for what is sent together.
public enum BatchKeywords {
  /// How many, how many bytes, and `flush_interval`.
  ///
  /// - Parameters:
  ///   - count: what the first is called, and about it.
  ///   - bytes: the same of the second.
  ///   - waiting: about the third.
  public static func all<Options, Receipt>(
    _ place: any WritableKeyPath<Options, BulkQueue<Receipt>.Limits> & Sendable,
    count: (name: String, about: String), bytes: (name: String, about: String), waiting: String
  ) -> [PluginKeyword<Options>] {
    [
      .value(count.name, "COUNT", count.about) {
        (o: inout Options, w: Word) throws(Diagnostic) in
        o[keyPath: place].documents = try w.number(in: 1...10_000, for: count.name)
      },
      .value(bytes.name, "SIZE", bytes.about) {
        (o: inout Options, w: Word) throws(Diagnostic) in
        o[keyPath: place].bytes = try w.byteCount(in: 4096...64 << 20, for: bytes.name)
      },
      .value("flush_interval", "SECONDS", waiting) {
        (o: inout Options, w: Word) throws(Diagnostic) in
        o[keyPath: place].gathering =
          try w.seconds(in: .zero...(.seconds(60)), for: "flush_interval")
      },
    ]
  }
}

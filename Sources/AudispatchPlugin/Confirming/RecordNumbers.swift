import AuditRecord

/// The dispatcher's numbers of the records in a stream: one behind the other, but for gap records,
/// which have none.
struct RecordNumbers: Sendable {
  /// The number that the next frame has.
  private(set) var next: UInt64
  private var frames = 0
  /// `op=queue-drop plugin=NAME `, how the fields of our gap records begin.
  private let gap: [UInt8]
  /// ` gap=WORD`, how they end; empty where the dispatcher gave us no word.
  private let mark: [UInt8]

  /// - Parameters:
  ///   - plugin: the name in our gap records; without it every gap record counts as ours.
  ///   - gap: the word that nobody else's have.
  init(first: UInt64, plugin: String?, gap word: String? = nil) {
    next = first
    mark = word.map { Array(" gap=\($0)".utf8) } ?? []
    gap = Array("op=queue-drop plugin=\(plugin.map { $0 + " " } ?? "")".utf8)
  }

  /// Numbers a record that was given out when `frames` frames had been seen.
  ///
  /// - Returns: its number, 0 for a gap record; and which numbers before it belong to nothing.
  mutating func take(
    _ line: Span<UInt8>, _ header: RecordHeader, _ type: RecordType, frames: Int
  ) -> (number: UInt64, skipped: (first: UInt64, count: Int)) {
    let skipped = pass(to: frames - 1)
    self.frames = frames
    if type == .daemonError, isGap(line, at: header.body) { return (0, skipped) }
    defer { next += 1 }
    return (next, skipped)
  }

  /// Passes over frames that turned out to be no records.
  mutating func pass(to frames: Int) -> (first: UInt64, count: Int) {
    let count = max(0, frames - self.frames)
    defer { next += UInt64(count) }
    self.frames += count
    return (next, count)
  }

  /// How many records a gap record says the dispatcher dropped; 0 for any other.
  func missed(_ line: Span<UInt8>, _ header: RecordHeader) -> Int {
    guard isGap(line, at: header.body) else { return 0 }
    var scanner = FieldScanner(body: header.body, end: line.count)
    while let field = scanner.next(line) {
      guard line.has("dropped=", at: field.name.lowerBound) else { continue }
      var at = field.value.lowerBound
      return line.decimal(at: &at, maximumDigits: 15).map(Int.init) ?? 0
    }
    return 0
  }

  func isGap(_ line: Span<UInt8>, at body: Int) -> Bool {
    guard line.count - body >= gap.count + mark.count else { return false }
    for i in gap.indices where line[body + i] != gap[i] { return false }
    let end = line.count - mark.count
    for i in mark.indices where line[end + i] != mark[i] { return false }
    return true
  }
}

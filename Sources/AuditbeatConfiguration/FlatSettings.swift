import Configuration

/// A setting by its whole name, as `output.elasticsearch.hosts`: whether tables or dots make that name
/// is all the same.
struct FlatSetting: Sendable {
  var name: String
  /// The innermost key, and the outermost one.
  var key: Word
  var top: Word
  var item: YAMLItem
}

extension [FlatSetting] {
  /// Bytes of a name.
  private static var longestName: Int { 512 }

  /// The settings of a table, in their order; what says nothing is left out.
  init(_ entries: [YAMLItem.Entry]) throws(Diagnostic) {
    self = []
    var lines: [String: Int] = [:]
    for entry in entries { try take(entry, "", entry.key, &lines) }
  }

  private mutating func take(
    _ entry: YAMLItem.Entry, _ before: String, _ top: Word, _ lines: inout [String: Int]
  ) throws(Diagnostic) {
    let name = before + entry.key.text
    guard name.utf8.count <= Self.longestName else {
      throw Diagnostic(
        .error, file: entry.key.file, at: entry.key.position,
        "a name of more than \(Self.longestName) bytes")
    }
    if case .table(let entries) = entry.item.value {
      for inner in entries { try take(inner, name + ".", top, &lines) }
      return
    }
    guard !entry.item.isNull else { return }
    if let line = lines[name] { throw entry.key.error("given before, on line \(line)") }
    lines[name] = entry.key.position.line
    append(FlatSetting(name: name, key: entry.key, top: top, item: entry.item))
  }
}

import Configuration

/// Reads one document of YAML 1.1, of any bytes. Throws the first fault, and where it is.
///
/// Its size, its depth, and the values that aliases make of it are bounded.
struct YAMLReader: ~Copyable {
  /// Lists and tables within each other, those that aliases bring included.
  private static let deepest = 32
  /// Values, those that aliases bring included.
  private static let most = 20_000

  /// A value, and what it adds where it stands.
  private struct Read {
    var item: YAMLItem
    /// Values in it, itself included, and how deep it is.
    var count = 1
    var height = 1
  }

  private let file: String
  private var events: YAMLEvents
  private var anchors: [String: Read] = [:]
  private var count = 0

  /// - Returns: `nil` for a file that says nothing.
  static func read(_ bytes: [UInt8], file: String) throws(Diagnostic) -> YAMLItem? {
    guard bytes.count <= ConfigurationText.fileLimit else {
      throw Diagnostic(
        .error, file: file, "longer than \(ConfigurationText.fileLimit >> 10) KiB")
    }
    guard String(validating: bytes, as: UTF8.self) != nil else {
      throw Diagnostic(.error, file: file, "not UTF-8")
    }
    let mark = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? 3 : 0
    var reader = YAMLReader(Array(bytes[mark...]), file: file)
    return try reader.document()
  }

  private init(_ bytes: [UInt8], file: String) {
    self.file = file
    events = YAMLEvents(bytes, file: file)
  }

  private mutating func document() throws(Diagnostic) -> YAMLItem? {
    var item: YAMLItem?
    while true {
      let found = try events.next()
      switch found.event {
      case .streamEnd: return item
      case .documentStart:
        guard item == nil else { throw fault(found, "a second document") }
        item = try value(try events.next(), depth: 0).item
      default: break
      }
    }
  }

  private func fault(_ found: YAMLEvents.Found, _ message: String) -> Diagnostic {
    Diagnostic(.error, file: file, at: found.position, message)
  }

  private func word(_ text: String, _ found: YAMLEvents.Found) -> Word {
    Word(text: text, file: file, position: found.position)
  }

  private mutating func value(
    _ found: YAMLEvents.Found, depth: Int
  ) throws(Diagnostic) -> Read {
    guard depth < Self.deepest else { throw fault(found, "values are nested too deeply") }
    if found.event == .alias { return try aliased(found, depth) }
    count += 1
    guard count <= Self.most else { throw tooMany(found) }
    let before = count
    var read: Read
    switch found.event {
    case .scalar(let text, let isPlain):
      read = Read(item: YAMLItem(value: .scalar(isPlain: isPlain), word: word(text, found)))
    case .listStart: read = try list(found, depth)
    case .tableStart: read = try table(found, depth)
    default: throw fault(found, "no value")
    }
    read.count = count - before + 1
    if let anchor = found.anchor { anchors[anchor] = read }
    return read
  }

  private func tooMany(_ found: YAMLEvents.Found) -> Diagnostic {
    fault(found, "more than \(Self.most) values")
  }

  private mutating func aliased(
    _ found: YAMLEvents.Found, _ depth: Int
  ) throws(Diagnostic) -> Read {
    guard let read = anchors[found.anchor ?? ""] else {
      throw fault(found, "an alias of nothing that ends before it")
    }
    count += read.count
    guard count <= Self.most else { throw tooMany(found) }
    guard depth + read.height <= Self.deepest else {
      throw fault(found, "values are nested too deeply")
    }
    return read
  }

  private mutating func list(
    _ start: YAMLEvents.Found, _ depth: Int
  ) throws(Diagnostic) -> Read {
    var items: [YAMLItem] = []
    var height = 0
    while true {
      let found = try events.next()
      if found.event == .end { break }
      let read = try value(found, depth: depth + 1)
      items.append(read.item)
      height = max(height, read.height)
    }
    return Read(item: YAMLItem(value: .list(items), word: word("[", start)), height: height + 1)
  }

  private mutating func table(
    _ start: YAMLEvents.Found, _ depth: Int
  ) throws(Diagnostic) -> Read {
    var entries: [YAMLItem.Entry] = []
    var lines: [String: Int] = [:]
    var merged: [YAMLItem] = []
    var height = 0
    while true {
      let found = try events.next()
      if found.event == .end { break }
      let key = try value(found, depth: depth + 1).item
      guard case .scalar(let isPlain) = key.value else {
        throw fault(found, "a key is a single value, not \(key.value.kind)")
      }
      let read = try value(try events.next(), depth: depth + 1)
      height = max(height, read.height)
      if isPlain, key.word.text == "<<" {
        merged.append(read.item)
        continue
      }
      if let line = lines[key.word.text] {
        throw key.word.error("given before, on line \(line)")
      }
      lines[key.word.text] = key.word.position.line
      entries.append(YAMLItem.Entry(key: key.word, item: read.item))
    }
    for item in merged { try Self.merge(item, into: &entries, &lines) }
    return Read(item: YAMLItem(value: .table(entries), word: word("{", start)), height: height + 1)
  }

  /// Adds the entries of `<<` whose keys are not there.
  private static func merge(
    _ item: YAMLItem, into entries: inout [YAMLItem.Entry], _ lines: inout [String: Int]
  ) throws(Diagnostic) {
    switch item.value {
    case .table(let more):
      for entry in more where lines[entry.key.text] == nil {
        lines[entry.key.text] = entry.key.position.line
        entries.append(entry)
      }
    case .list(let items):
      for item in items {
        guard case .table = item.value else { throw item.word.error("'<<' merges tables") }
        try merge(item, into: &entries, &lines)
      }
    case .scalar: throw item.word.error("'<<' merges tables")
    }
  }
}

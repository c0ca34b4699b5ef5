import Configuration

/// A path of the configuration: `/etc`, `/home/*/.ssh`, `/srv/**/*.conf`.
///
/// Between two slashes `*` stands for any bytes, `?` for one, `[a-z]` and `[!a-z]` for one of a set
/// or not of it, and `\` in front of a byte for that byte; `**` stands for any number of folders.
/// A pattern means what it names and all below it.
struct PathPattern: Equatable, Sendable {
  enum Part: Equatable, Sendable {
    case literal([UInt8])
    case glob(Glob)
    /// `**`.
    case folders
  }

  /// As it is written.
  let text: String
  let parts: [Part]

  init(_ word: Word) throws(Diagnostic) {
    text = word.text
    guard text.hasPrefix("/") else { throw word.error("not an absolute path") }
    var parts: [Part] = []
    for part in text.utf8.split(separator: UInt8(ascii: "/")) {
      switch Array(part) {
      case [0x2e], [0x2e, 0x2e]: throw word.error("'.' and '..' have no place in a path here")
      case [0x2a, 0x2a]: if parts.last != .folders { parts.append(.folders) }
      case let bytes:
        guard let glob = Glob(bytes) else { throw word.error("a '[' without its ']'") }
        parts.append(glob.literal.map(Part.literal) ?? .glob(glob))
      }
    }
    self.parts = parts
  }

  /// Exactly that path.
  init(literal path: FilePath) {
    text = path.shown
    parts = path.components.map { .literal(Array($0)) }
  }

  /// The folder or file in front of the first wildcard: where a scan begins.
  var root: [UInt8] {
    var path: [UInt8] = []
    for case .literal(let name) in parts.prefix(while: \.isLiteral) { path += [0x2f] + name }
    return path.isEmpty ? [0x2f] : path
  }

  /// How a path stands to what the pattern names.
  enum Relation: Equatable, Sendable {
    /// The path itself, or something that it is below of: all below it too.
    case within
    /// The path itself is what is named, by the whole pattern.
    case exactly
    /// Something below the path can be named.
    case above
    case apart
  }

  /// Complexity: O(components) without `**`, O(components · parts) with it.
  func relation(to path: [FilePath.Component]) -> Relation {
    // Which parts can have been used up by the components so far, as in an automaton.
    var states: Set<Int> = [0]
    close(&states)
    if states.contains(parts.count) { return path.isEmpty ? .exactly : .within }
    for (index, component) in path.enumerated() {
      var next: Set<Int> = []
      for state in states where state < parts.count {
        switch parts[state] {
        case .literal(let name): if component.elementsEqual(name) { next.insert(state + 1) }
        case .glob(let glob): if glob.matches(component) { next.insert(state + 1) }
        case .folders: next.insert(state)
        }
      }
      close(&next)
      if next.contains(parts.count) { return index == path.count - 1 ? .exactly : .within }
      if next.isEmpty { return .apart }
      states = next
    }
    return .above
  }

  /// `**` also stands for no folder at all.
  private func close(_ states: inout Set<Int>) {
    for state in states.sorted() {
      var at = state
      while at < parts.count, parts[at] == .folders {
        at += 1
        states.insert(at)
      }
    }
  }
}

extension PathPattern.Part {
  fileprivate var isLiteral: Bool { if case .literal = self { true } else { false } }
}

extension PathPattern {
  /// Whether something can be named by both. Never `false` wrongly.
  func mayMeet(_ other: PathPattern) -> Bool {
    for (a, b) in zip(parts, other.parts) {
      switch (a, b) {
      case (.folders, _), (_, .folders): return true
      case (.literal(let a), .literal(let b)): if a != b { return false }
      case (.literal(let name), .glob(let glob)), (.glob(let glob), .literal(let name)):
        if !glob.matches(name[...]) { return false }
      case (.glob, .glob): break
      }
    }
    return true
  }
}

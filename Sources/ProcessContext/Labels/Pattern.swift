/// A regular expression in the syntax of Rust's crate regex, which Laurel's settings have, without
/// Unicode's classes (`\p{…}`) and operations on classes.
///
/// Matching takes time in proportion to the text, whatever pattern and text are: all ways are gone at
/// once. Text that is no UTF-8 is matched byte by byte: each such byte is a character of its own.
public struct Pattern: Sendable, Equatable {
  public let text: String
  private let program: [PatternStep]

  /// Bytes of a text that are looked at.
  public static let mostText = 4096
  /// Steps of the largest pattern.
  static let mostSteps = 10_000

  /// Throws why it is none.
  public init(_ text: String) throws(PatternFault) {
    self.text = text
    var parser = PatternParser(text)
    program = try PatternStep.compile(try parser.parse(), most: Self.mostSteps)
  }

  public static func == (a: Pattern, b: Pattern) -> Bool { a.text == b.text }

  /// Whether it is found anywhere in a text. Complexity: O(text × pattern).
  public func matches(_ bytes: some Collection<UInt8>) -> Bool {
    let characters = Self.characters(bytes)
    var now = StepSet(program.count)
    var next = StepSet(program.count)
    for place in 0...characters.count {
      add(0, to: &now, at: place, in: characters)
      if now.isMatched { return true }
      guard place < characters.count else { return false }
      next.removeAll()
      for step in now.waiting {
        guard case .character(let set) = program[step], set.contains(characters[place]) else {
          continue
        }
        add(step + 1, to: &next, at: place + 1, in: characters)
      }
      swap(&now, &next)
      if now.isMatched { return true }
    }
    return false
  }

  /// Follows what takes no character.
  private func add(_ first: Int, to set: inout StepSet, at place: Int, in text: [UInt32]) {
    var open = [first]
    while let step = open.popLast() {
      guard set.visit(step) else { continue }
      switch program[step] {
      case .match: set.isMatched = true
      case .character: set.waiting.append(step)
      case .jump(let to): open.append(to)
      case .split(let one, let other):
        open.append(other)
        open.append(one)
      case .check(let what): if what.holds(at: place, in: text) { open.append(step + 1) }
      }
    }
  }

  /// Scalars; a byte that belongs to none is 0x110000 and itself.
  static func characters(_ bytes: some Collection<UInt8>) -> [UInt32] {
    let bytes = Array(bytes.prefix(mostText))
    var characters: [UInt32] = []
    characters.reserveCapacity(bytes.count)
    var at = 0
    while at < bytes.count {
      if bytes[at] < 0x80 {
        characters.append(UInt32(bytes[at]))
        at += 1
        continue
      }
      let length = bytes[at] >= 0xf0 ? 4 : bytes[at] >= 0xe0 ? 3 : 2
      if bytes[at] >= 0xc2, at + length <= bytes.count,
        let text = String(validating: bytes[at..<at + length], as: UTF8.self),
        let scalar = text.unicodeScalars.first, text.unicodeScalars.count == 1
      {
        characters.append(scalar.value)
        at += length
      } else {
        characters.append(0x11_0000 + UInt32(bytes[at]))
        at += 1
      }
    }
    return characters
  }
}

/// Why a text is no pattern, and where.
public struct PatternFault: Error, Equatable, Sendable {
  public let message: String
  /// Characters in front of it.
  public let place: Int
}

/// Steps at which a match stands.
private struct StepSet {
  var waiting: [Int] = []
  var isMatched = false
  private var seen: [Bool]

  init(_ count: Int) { seen = [Bool](repeating: false, count: count) }

  /// `false` for one that was visited.
  mutating func visit(_ step: Int) -> Bool {
    if seen[step] { return false }
    seen[step] = true
    return true
  }

  mutating func removeAll() {
    waiting.removeAll(keepingCapacity: true)
    isMatched = false
    for place in seen.indices { seen[place] = false }
  }
}

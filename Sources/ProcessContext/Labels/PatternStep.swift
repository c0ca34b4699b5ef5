/// What a pattern is made of.
indirect enum PatternNode: Equatable {
  case empty
  case character(CharacterSet)
  case check(PatternCheck)
  case sequence([PatternNode])
  case choice([PatternNode])
  /// `most` is `nil` for no bound.
  case repetition(PatternNode, least: Int, most: Int?)
}

/// A place that takes no character.
enum PatternCheck: Equatable, Sendable {
  case start, end, lineStart, lineEnd, wordEdge, noWordEdge

  func holds(at place: Int, in text: [UInt32]) -> Bool {
    switch self {
    case .start: place == 0
    case .end: place == text.count
    case .lineStart: place == 0 || text[place - 1] == 0x0a
    case .lineEnd: place == text.count || text[place] == 0x0a
    case .wordEdge: isEdge(place, text)
    case .noWordEdge: !isEdge(place, text)
    }
  }

  private func isEdge(_ place: Int, _ text: [UInt32]) -> Bool {
    let before = place > 0 && CharacterSet.isWord(text[place - 1])
    let behind = place < text.count && CharacterSet.isWord(text[place])
    return before != behind
  }
}

/// One step of a pattern that is matched by going all ways at once.
enum PatternStep: Sendable {
  case character(CharacterSet)
  case check(PatternCheck)
  case split(Int, Int)
  case jump(Int)
  case match

  static func compile(_ node: PatternNode, most: Int) throws(PatternFault) -> [PatternStep] {
    var steps: [PatternStep] = []
    try add(node, to: &steps, most)
    steps.append(.match)
    return steps
  }

  private static func add(
    _ node: PatternNode, to steps: inout [PatternStep], _ most: Int
  ) throws(PatternFault) {
    guard steps.count < most else {
      throw PatternFault(message: "the pattern is too large", place: 0)
    }
    switch node {
    case .empty: break
    case .character(let set): steps.append(.character(set))
    case .check(let check): steps.append(.check(check))
    case .sequence(let nodes): for node in nodes { try add(node, to: &steps, most) }
    case .choice(let nodes): try add(choice: nodes, to: &steps, most)
    case .repetition(let node, let least, let bound):
      for _ in 0..<least {
        let before = steps.count
        try add(node, to: &steps, most)
        if steps.count == before { break }
      }
      if let bound {
        var splits: [Int] = []
        for _ in least..<max(bound, least) {
          splits.append(steps.count)
          steps.append(.split(steps.count + 1, 0))
          try add(node, to: &steps, most)
        }
        for split in splits { steps[split] = .split(split + 1, steps.count) }
      } else {
        let split = steps.count
        steps.append(.split(split + 1, 0))
        try add(node, to: &steps, most)
        steps.append(.jump(split))
        steps[split] = .split(split + 1, steps.count)
      }
    }
  }

  private static func add(
    choice nodes: [PatternNode], to steps: inout [PatternStep], _ most: Int
  ) throws(PatternFault) {
    var jumps: [Int] = []
    for (place, node) in nodes.enumerated() {
      guard place < nodes.count - 1 else {
        try add(node, to: &steps, most)
        break
      }
      let split = steps.count
      steps.append(.split(split + 1, 0))
      try add(node, to: &steps, most)
      jumps.append(steps.count)
      steps.append(.jump(0))
      steps[split] = .split(split + 1, steps.count)
    }
    for jump in jumps { steps[jump] = .jump(steps.count) }
  }
}

/// Characters by ranges and kinds.
struct CharacterSet: Equatable, Sendable {
  enum Kind: Equatable, Sendable { case digit, word, space }

  var ranges: [ClosedRange<UInt32>] = []
  /// Kinds, and whether what is none of them is meant.
  var kinds: [(kind: Kind, isInverted: Bool)] = []
  var isInverted = false
  var ignoresCase = false

  static func == (a: CharacterSet, b: CharacterSet) -> Bool {
    a.ranges == b.ranges && a.isInverted == b.isInverted && a.ignoresCase == b.ignoresCase
      && a.kinds.elementsEqual(b.kinds) { $0.kind == $1.kind && $0.isInverted == $1.isInverted }
  }

  static func one(_ character: UInt32) -> CharacterSet {
    CharacterSet(ranges: [character...character])
  }

  func contains(_ character: UInt32) -> Bool {
    var found = holds(character)
    if !found, ignoresCase, let other = Self.otherCase(character) { found = holds(other) }
    return found != isInverted
  }

  private func holds(_ character: UInt32) -> Bool {
    ranges.contains { $0.contains(character) }
      || kinds.contains { Self.isOf($0.kind, character) != $0.isInverted }
  }

  private static func otherCase(_ character: UInt32) -> UInt32? {
    if (0x41...0x5a).contains(character) { return character + 0x20 }
    if (0x61...0x7a).contains(character) { return character - 0x20 }
    guard character >= 0x80, let scalar = Unicode.Scalar(character) else { return nil }
    let properties = scalar.properties
    let other = properties.isLowercase ? properties.uppercaseMapping : properties.lowercaseMapping
    let scalars = other.unicodeScalars
    return scalars.count == 1 ? scalars.first?.value : nil
  }

  private static func isOf(_ kind: Kind, _ character: UInt32) -> Bool {
    switch kind {
    case .digit: isDigit(character)
    case .word: isWord(character)
    case .space:
      character < 0x80
        ? (0x09...0x0d).contains(character) || character == 0x20
        : Unicode.Scalar(character)?.properties.isWhitespace ?? false
    }
  }

  private static func isDigit(_ character: UInt32) -> Bool {
    character < 0x80
      ? (0x30...0x39).contains(character)
      : Unicode.Scalar(character)?.properties.generalCategory == .decimalNumber
  }

  static func isWord(_ character: UInt32) -> Bool {
    if character < 0x80 {
      return isDigit(character) || (0x41...0x5a).contains(character & ~0x20) || character == 0x5f
    }
    guard let properties = Unicode.Scalar(character)?.properties else { return false }
    return properties.isAlphabetic || properties.isJoinControl || isDigit(character)
      || [.nonspacingMark, .enclosingMark, .spacingMark, .connectorPunctuation]
        .contains(properties.generalCategory)
  }
}

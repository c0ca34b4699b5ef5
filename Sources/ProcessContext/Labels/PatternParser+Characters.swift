/// Single characters and classes of them.
extension PatternParser {
  mutating func escape() throws(PatternFault) -> PatternNode {
    switch next {
    case "b":
      at += 1
      return .check(.wordEdge)
    case "B":
      at += 1
      return .check(.noWordEdge)
    case "A":
      at += 1
      return .check(.start)
    case "z":
      at += 1
      return .check(.end)
    default: break
    }
    if let kind = try kind() {
      return .character(CharacterSet(kinds: [kind]))
    }
    return .character(literal(try escapedCharacter()))
  }

  mutating func kind() throws(PatternFault) -> (CharacterSet.Kind, Bool)? {
    let found: (CharacterSet.Kind, Bool)
    switch next {
    case "d": found = (.digit, false)
    case "D": found = (.digit, true)
    case "w": found = (.word, false)
    case "W": found = (.word, true)
    case "s": found = (.space, false)
    case "S": found = (.space, true)
    case "p", "P": throw fault("classes of Unicode are not supported")
    default: return nil
    }
    at += 1
    return found
  }

  mutating func escapedCharacter() throws(PatternFault) -> UInt32 {
    guard let scalar = next else { throw fault("nothing behind the backslash") }
    at += 1
    switch scalar {
    case "n": return 0x0a
    case "t": return 0x09
    case "r": return 0x0d
    case "f": return 0x0c
    case "v": return 0x0b
    case "a": return 0x07
    case "x": return try hexadecimal(2)
    case "u": return try hexadecimal(4)
    case "U": return try hexadecimal(8)
    case "0"..."9":
      at -= 1
      throw fault("references back are not supported")
    default:
      let isMark =
        scalar.value < 0x80 && scalar.value > 0x20 && scalar.value != 0x7f
        && (!CharacterSet.isWord(scalar.value) || scalar == "_")
      guard isMark, scalar != "<", scalar != ">" else {
        at -= 1
        throw fault("'\\\(scalar)' has no meaning")
      }
      return scalar.value
    }
  }

  mutating func hexadecimal(_ digits: Int) throws(PatternFault) -> UInt32 {
    let isOpen = take("{")
    var value: UInt32 = 0
    var count = 0
    while let scalar = next, isOpen ? scalar != "}" : count < digits {
      guard let digit = Character(scalar).hexDigitValue, count < 8 else {
        throw fault("not a hexadecimal number")
      }
      value = value << 4 | UInt32(digit)
      count += 1
      at += 1
    }
    guard isOpen ? count > 0 && take("}") : count == digits, Unicode.Scalar(value) != nil else {
      throw fault("not a hexadecimal number of a character")
    }
    return value
  }

  /// Behind the opening bracket.
  mutating func set() throws(PatternFault) -> CharacterSet {
    var set = CharacterSet()
    set.ignoresCase = flags.ignoresCase
    set.isInverted = take("^")
    var isFirst = true
    while let scalar = next {
      if scalar == "]", !isFirst {
        at += 1
        return set
      }
      isFirst = false
      if scalar == "[" {
        guard at + 1 < text.count, text[at + 1] == ":" else {
          throw fault("a class in a class is not supported; write \\[ for the character")
        }
        try addNamed(to: &set)
        continue
      }
      if ["&", "-", "~"].contains(scalar), at + 1 < text.count, text[at + 1] == scalar,
        !(scalar == "-" && at + 2 < text.count && text[at + 2] == "]")
      {
        throw fault("operations on classes are not supported")
      }
      if scalar == "\\", at + 1 < text.count {
        at += 1
        if let kind = try kind() {
          set.kinds.append(kind)
          continue
        }
        try addRange(from: try escapedCharacter(), to: &set)
      } else {
        at += 1
        try addRange(from: scalar.value, to: &set)
      }
    }
    throw fault("the class is not closed")
  }

  mutating func addRange(
    from first: UInt32, to set: inout CharacterSet
  ) throws(PatternFault) {
    guard next == "-", at + 1 < text.count, text[at + 1] != "]" else {
      set.ranges.append(first...first)
      return
    }
    at += 1
    var last = text[at].value
    at += 1
    if last == 0x5c { last = try escapedCharacter() }
    guard first <= last else { throw fault("the range ends before it begins") }
    set.ranges.append(first...last)
  }

  mutating func addNamed(to set: inout CharacterSet) throws(PatternFault) {
    let named: [String: [ClosedRange<UInt32>]] = [
      "alnum": [0x30...0x39, 0x41...0x5a, 0x61...0x7a], "alpha": [0x41...0x5a, 0x61...0x7a],
      "ascii": [0...0x7f], "blank": [0x09...0x09, 0x20...0x20], "cntrl": [0...0x1f, 0x7f...0x7f],
      "digit": [0x30...0x39], "graph": [0x21...0x7e], "lower": [0x61...0x7a],
      "print": [0x20...0x7e], "punct": [0x21...0x2f, 0x3a...0x40, 0x5b...0x60, 0x7b...0x7e],
      "space": [0x09...0x0d, 0x20...0x20], "upper": [0x41...0x5a],
      "word": [0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x5f...0x5f],
      "xdigit": [0x30...0x39, 0x41...0x46, 0x61...0x66],
    ]
    at += 2
    var name = ""
    while let scalar = next, scalar != ":" {
      name.unicodeScalars.append(scalar)
      at += 1
    }
    guard let ranges = named[name], take(":"), take("]") else {
      throw fault("not a class that has a name")
    }
    set.ranges += ranges
  }
}

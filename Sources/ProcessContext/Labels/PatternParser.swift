/// Reads a pattern, character by character.
struct PatternParser {
  struct Flags {
    var ignoresCase = false
    var hasLines = false
    var dotIsAll = false
    var isGreedySwapped = false
  }

  let text: [Unicode.Scalar]
  var at = 0
  private var depth = 0
  var flags = Flags()

  init(_ text: String) { self.text = Array(text.unicodeScalars) }

  var next: Unicode.Scalar? { at < text.count ? text[at] : nil }

  func fault(_ message: String) -> PatternFault {
    PatternFault(message: message, place: at)
  }

  mutating func take(_ scalar: Unicode.Scalar) -> Bool {
    guard next == scalar else { return false }
    at += 1
    return true
  }

  mutating func parse() throws(PatternFault) -> PatternNode {
    let node = try choice()
    if next != nil { throw fault("a bracket closes that was not opened") }
    return node
  }

  mutating func choice() throws(PatternFault) -> PatternNode {
    guard depth < 100 else { throw fault("brackets are nested too deeply") }
    depth += 1
    defer { depth -= 1 }
    var nodes = [try sequence()]
    while take("|") { nodes.append(try sequence()) }
    return nodes.count == 1 ? nodes[0] : .choice(nodes)
  }

  mutating func sequence() throws(PatternFault) -> PatternNode {
    var nodes: [PatternNode] = []
    while let scalar = next, scalar != "|", scalar != ")" {
      guard let node = try piece() else { continue }
      nodes.append(try repeated(node))
    }
    return nodes.isEmpty ? .empty : nodes.count == 1 ? nodes[0] : .sequence(nodes)
  }

  /// `nil` for flags that hold from here on.
  mutating func piece() throws(PatternFault) -> PatternNode? {
    let scalar = text[at]
    at += 1
    switch scalar {
    case "(": return try group()
    case "[": return .character(try set())
    case ".":
      var all = CharacterSet(ranges: flags.dotIsAll ? [] : [0x0a...0x0a])
      all.isInverted = true
      return .character(all)
    case "^": return .check(flags.hasLines ? .lineStart : .start)
    case "$": return .check(flags.hasLines ? .lineEnd : .end)
    case "*", "+", "?":
      at -= 1
      throw fault("there is nothing in front of '\(scalar)' to be repeated")
    case "{":
      at -= 1
      throw fault("there is nothing in front of '{' to be repeated; write \\{ for the character")
    case "\\": return try escape()
    default: return .character(literal(scalar.value))
    }
  }

  func literal(_ character: UInt32) -> CharacterSet {
    var set = CharacterSet.one(character)
    set.ignoresCase = flags.ignoresCase
    return set
  }

  mutating func group() throws(PatternFault) -> PatternNode? {
    let before = flags
    if take("?") {
      if next == "=" || next == "!"
        || next == "<" && at + 1 < text.count
          && (text[at + 1] == "=" || text[at + 1] == "!")
      {
        throw fault("looking ahead or behind is not supported")
      }
      if next == "P" || next == "<" {
        _ = take("P")
        guard take("<") else { throw fault("a group's name stands in <>") }
        let start = at
        while let scalar = next, scalar != ">" {
          guard CharacterSet.isWord(scalar.value) else { throw fault("not a group's name") }
          at += 1
        }
        guard at > start, take(">") else { throw fault("a group's name stands in <>") }
      } else if try takeFlags() {
        return nil
      }
    }
    let node = try choice()
    guard take(")") else { throw fault("a bracket is not closed") }
    flags = before
    return node
  }

  /// - Returns: whether they hold from here on, `(?i)`, and not for a group, `(?i:…)`.
  mutating func takeFlags() throws(PatternFault) -> Bool {
    var isOn = true
    while let scalar = next {
      at += 1
      switch scalar {
      case ":": return false
      case ")": return true
      case "-": isOn = false
      case "i": flags.ignoresCase = isOn
      case "m": flags.hasLines = isOn
      case "s": flags.dotIsAll = isOn
      case "U": flags.isGreedySwapped = isOn
      case "u" where isOn: break
      default:
        at -= 1
        throw fault("the flag '\(scalar)' is not supported")
      }
    }
    throw fault("a bracket is not closed")
  }

  mutating func repeated(_ node: PatternNode) throws(PatternFault) -> PatternNode {
    var node = node
    var count = 0
    while let scalar = next {
      if "*+?{".unicodeScalars.contains(scalar) { count += 1 }
      guard count <= 10 else { throw fault("a repetition is repeated too often") }
      switch scalar {
      case "*": node = .repetition(node, least: 0, most: nil)
      case "+": node = .repetition(node, least: 1, most: nil)
      case "?": node = .repetition(node, least: 0, most: 1)
      case "{":
        at += 1
        let (least, most) = try counts()
        node = .repetition(node, least: least, most: most)
        at -= 1
      default: return node
      }
      at += 1
      // How much is taken makes no difference to whether there is a match.
      _ = take("?")
    }
    return node
  }

  mutating func counts() throws(PatternFault) -> (Int, Int?) {
    guard let least = number() else { throw fault("a repetition is a number, as {2} or {2,3}") }
    var most: Int? = least
    if take(",") { most = next == "}" ? nil : number() }
    guard take("}") else { throw fault("a repetition is a number, as {2} or {2,3}") }
    guard least <= 1000, most ?? 0 <= 1000 else { throw fault("more than 1000 repetitions") }
    if let most, most < least { throw fault("the repetition ends before it begins") }
    return (least, most)
  }

  mutating func number() -> Int? {
    var value: Int?
    while let scalar = next, ("0"..."9").contains(scalar), value ?? 0 < 100_000 {
      value = (value ?? 0) * 10 + Int(scalar.value - 0x30)
      at += 1
    }
    return value
  }
}

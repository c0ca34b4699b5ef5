/// A regular expression of an AIDE rule as paths of ours, where it has an equal.
///
/// Alternatives, `?` and small counts become several paths; `.*` stands for any bytes and any number
/// of folders, `[^/]*` for any name. A repetition of anything else has no equal.
struct AideExpression {
  /// What it names: `/var/log/*.gz`.
  struct Path: Hashable {
    var text: String
    /// It ends with `$`: what is below is not named.
    var isExact: Bool
    /// Folders in front of the first wildcard.
    var depth: Int
  }

  /// Why it has no equal, and at which byte of it.
  struct Obstacle: Error, Equatable {
    var reason: String
    var offset: Int
  }

  private enum Piece: Equatable {
    case byte(UInt8)
    case one
    case set(String)
    /// `.*`
    case any
    /// `[^/]*`
    case name
    case end
  }

  /// More paths of one expression help nobody.
  private static let most = 512

  private let bytes: [UInt8]
  private var at = 0

  static func paths(_ text: String) throws(Obstacle) -> [Path] {
    var parser = AideExpression(bytes: Array(text.utf8))
    let sequences = try parser.alternatives()
    if parser.at < parser.bytes.count {
      throw Obstacle(reason: "a ')' without its '('", offset: parser.at)
    }
    var paths: [Path] = []
    for sequence in sequences {
      for path in try parser.paths(sequence) where !paths.contains(path) { paths.append(path) }
    }
    return paths
  }

  private init(bytes: [UInt8]) { self.bytes = bytes }

  // MARK: Reading

  private func obstacle(_ reason: String) -> Obstacle { Obstacle(reason: reason, offset: at) }

  private mutating func alternatives() throws(Obstacle) -> [[Piece]] {
    var all = try sequence()
    while at < bytes.count, bytes[at] == UInt8(ascii: "|") {
      at += 1
      all += try sequence()
    }
    if all.count > Self.most { throw obstacle("it stands for too many paths") }
    return all
  }

  private mutating func sequence() throws(Obstacle) -> [[Piece]] {
    var all: [[Piece]] = [[]]
    while at < bytes.count, bytes[at] != UInt8(ascii: "|"), bytes[at] != UInt8(ascii: ")") {
      let next = try repeated(atom())
      var joined: [[Piece]] = []
      for head in all { for tail in next { joined.append(head + tail) } }
      all = joined
      if all.count > Self.most { throw obstacle("it stands for too many paths") }
    }
    return all
  }

  private mutating func atom() throws(Obstacle) -> [[Piece]] {
    let byte = bytes[at]
    at += 1
    switch byte {
    case UInt8(ascii: "("):
      let inner = try alternatives()
      guard at < bytes.count, bytes[at] == UInt8(ascii: ")") else {
        throw obstacle("a '(' without its ')'")
      }
      at += 1
      return inner
    case UInt8(ascii: "["): return [[try set()]]
    case UInt8(ascii: "."): return [[.one]]
    case UInt8(ascii: "$"): return [[.end]]
    case UInt8(ascii: "^") where at == 1: return [[]]
    case UInt8(ascii: "\\"):
      guard at < bytes.count else { throw obstacle("it ends with a '\\'") }
      defer { at += 1 }
      let isLetter = (0x30...0x39).contains(bytes[at]) || (0x41...0x5a).contains(bytes[at] & 0xdf)
      if isLetter { throw obstacle("'\\' in front of a letter or a digit") }
      return [[.byte(bytes[at])]]
    case UInt8(ascii: "%"):
      guard at + 1 < bytes.count,
        let value = UInt8(String(decoding: bytes[at...at + 1], as: UTF8.self), radix: 16)
      else { return [[.byte(byte)]] }
      at += 2
      return [[.byte(value)]]
    case UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "?"), UInt8(ascii: "{"):
      throw obstacle("nothing to repeat")
    default: return [[.byte(byte)]]
    }
  }

  private mutating func repeated(_ atom: [[Piece]]) throws(Obstacle) -> [[Piece]] {
    guard at < bytes.count else { return atom }
    var result: [[Piece]]
    switch bytes[at] {
    case UInt8(ascii: "?"):
      at += 1
      result = [[]] + atom
    case UInt8(ascii: "*"): result = [try endless(atom, least: 0)]
    case UInt8(ascii: "+"): result = [try endless(atom, least: 1)]
    case UInt8(ascii: "{"): result = try counted(atom)
    default: return atom
    }
    if at < bytes.count,
      [UInt8(ascii: "?"), UInt8(ascii: "*"), UInt8(ascii: "+")].contains(bytes[at])
    {
      throw obstacle("a repetition of a repetition")
    }
    return result
  }

  private mutating func endless(_ atom: [[Piece]], least: Int) throws(Obstacle) -> [Piece] {
    guard atom.count == 1, atom[0].count == 1 else {
      throw obstacle("a group that is repeated without an end")
    }
    let all: Piece
    switch atom[0][0] {
    case .one: all = .any
    case .set("[!/]"): all = .name
    default: throw obstacle("a repetition of anything but '.' and '[^/]'")
    }
    at += 1
    return (0..<least).map { _ in atom[0][0] == .one ? .one : .set("[!/]") } + [all]
  }

  private mutating func counted(_ atom: [[Piece]]) throws(Obstacle) -> [[Piece]] {
    guard let end = bytes[at...].firstIndex(of: UInt8(ascii: "}")) else {
      throw obstacle("a '{' without its '}'")
    }
    let text = String(decoding: bytes[(at + 1)..<end], as: UTF8.self)
    let limits = text.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
    guard limits.count <= 2, let least = limits[0], least <= 32 else {
      throw obstacle("a count that is none")
    }
    guard let most = limits.last ?? nil, least <= most, most <= 32 else {
      throw obstacle("a repetition without an end, or of more than 32")
    }
    at = end + 1
    var all: [[Piece]] = []
    var run: [[Piece]] = [[]]
    for count in 0...most {
      if count >= least { all += run }
      var longer: [[Piece]] = []
      for head in run { for tail in atom { longer.append(head + tail) } }
      run = longer
      if run.count + all.count > Self.most { throw obstacle("it stands for too many paths") }
    }
    return all
  }

  /// What stands in brackets, as a set of ours.
  private mutating func set() throws(Obstacle) -> Piece {
    let isInverted = at < bytes.count && bytes[at] == UInt8(ascii: "^")
    if isInverted { at += 1 }
    var members: Set<UInt8> = []
    var isFirst = true
    while true {
      guard at < bytes.count else { throw obstacle("a '[' without its ']'") }
      if bytes[at] == UInt8(ascii: "]"), !isFirst { break }
      isFirst = false
      if bytes[at...].starts(with: "[:".utf8) {
        members.formUnion(try characterClass())
      } else if at + 2 < bytes.count, bytes[at + 1] == UInt8(ascii: "-"),
        bytes[at + 2] != UInt8(ascii: "]")
      {
        guard bytes[at] <= bytes[at + 2] else { throw obstacle("a range that is none") }
        members.formUnion(bytes[at]...bytes[at + 2])
        at += 3
      } else {
        members.insert(bytes[at])
        at += 1
      }
    }
    at += 1
    if isInverted, members == [0x2f] { return .set("[!/]") }
    members.remove(0x2f)
    return .set(Self.text(members, isInverted: isInverted))
  }

  private mutating func characterClass() throws(Obstacle) -> Set<UInt8> {
    let ranges: [String: [ClosedRange<UInt8>]] = [
      "digit": [0x30...0x39], "lower": [0x61...0x7a], "upper": [0x41...0x5a],
      "alpha": [0x41...0x5a, 0x61...0x7a], "alnum": [0x30...0x39, 0x41...0x5a, 0x61...0x7a],
      "xdigit": [0x30...0x39, 0x41...0x46, 0x61...0x66], "space": [0x09...0x0d, 0x20...0x20],
    ]
    guard let end = bytes[at...].firstIndex(of: UInt8(ascii: "]")), end > at + 3,
      bytes[end - 1] == UInt8(ascii: ":"),
      let found = ranges[String(decoding: bytes[(at + 2)..<(end - 1)], as: UTF8.self)]
    else { throw obstacle("a class of characters that has no equal") }
    at = end + 1
    return Set(found.joined())
  }

  /// As `Glob` reads it: `]` first, `-` last, no `!` or `^` in front.
  private static func text(_ members: Set<UInt8>, isInverted: Bool) -> String {
    var rest = members
    let special: [UInt8] = [0x5d, 0x21, 0x5e, 0x2d]
    let found = special.filter { rest.remove($0) != nil }
    var text: [UInt8] = found.contains(0x5d) ? [0x5d] : []
    let sorted = rest.sorted()
    var at = 0
    while at < sorted.count {
      var end = at
      while end + 1 < sorted.count, sorted[end + 1] == sorted[end] + 1 { end += 1 }
      text += end - at > 1 ? [sorted[at], 0x2d, sorted[end]] : sorted[at...end] + []
      at = end + 1
    }
    text += found.filter { $0 == 0x21 || $0 == 0x5e }
    if found.contains(0x2d) { text.append(0x2d) }
    return "[\(isInverted ? "!" : "")\(String(decoding: text, as: UTF8.self))]"
  }

  // MARK: Writing

  private func paths(_ pieces: [Piece]) throws(Obstacle) -> [Path] {
    var pieces = pieces
    let isExact = pieces.last == .end
    if isExact { pieces.removeLast() }
    if pieces.contains(.end) { throw Obstacle(reason: "a '$' in its midst", offset: 0) }
    guard pieces.first == .byte(0x2f) else { throw Obstacle(reason: "no absolute path", offset: 0) }
    var endsOpen = !isExact
    if pieces.last == .any {
      endsOpen = false
      // Whatever comes behind is below, or a longer name.
      pieces[pieces.count - 1] = .name
      return try write(pieces, isExact: false, endsOpen: endsOpen)
    }
    return try write(pieces, isExact: isExact, endsOpen: endsOpen)
  }

  private func write(
    _ pieces: [Piece], isExact: Bool, endsOpen: Bool
  ) throws(Obstacle) -> [Path] {
    var texts: [[UInt8]] = [[]]
    func append(_ bytes: some Sequence<UInt8>) {
      for index in texts.indices { texts[index] += bytes }
    }
    for (index, piece) in pieces.enumerated() {
      switch piece {
      case .byte(let byte):
        if byte < 0x20 || byte == 0x7f {
          throw Obstacle(reason: "a control character", offset: 0)
        }
        append("*?[\\".utf8.contains(byte) ? [0x5c, byte] : [byte])
      case .one: append("?".utf8)
      case .set(let text): append(text == "[!/]" ? "?".utf8 : text.utf8)
      case .name: append("*".utf8)
      case .end: break
      case .any:
        if index + 1 < pieces.count, pieces[index + 1] == .byte(0x2f) {
          append("*/**".utf8)
        } else if pieces[index - 1] == .byte(0x2f) {
          append("**/*".utf8)
        } else {
          texts = texts.map { $0 + "*".utf8 } + texts.map { $0 + "*/**/*".utf8 }
        }
      }
    }
    if texts.count > Self.most {
      throw Obstacle(reason: "it stands for too many paths", offset: 0)
    }
    return texts.map { text in
      var text = text
      if endsOpen, let last = text.last, text.count > 1 {
        // A name that ends with a letter is taken for the whole of it.
        let isWhole =
          (0x30...0x39).contains(last) || (0x41...0x5a).contains(last & 0xdf) || last >= 0x80
        if !isWhole, last != UInt8(ascii: "*") { text.append(UInt8(ascii: "*")) }
      } else if isExact, text.count > 1, text.last == 0x2f {
        text.removeLast()
      }
      let parts = text.split(separator: 0x2f)
      let depth = parts.prefix { part in !part.contains { "*?[".utf8.contains($0) } }.count
      return Path(
        text: String(decoding: text, as: UTF8.self), isExact: isExact, depth: depth)
    }
  }
}

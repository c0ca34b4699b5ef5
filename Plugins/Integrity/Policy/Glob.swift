/// A pattern for one name: `*.conf`, `core.[0-9]*`.
struct Glob: Equatable, Sendable {
  private enum Token: Equatable, Sendable {
    case byte(UInt8)
    case one
    case any
    case set([ClosedRange<UInt8>], isInverted: Bool)
  }

  private let tokens: [Token]

  /// `nil` for a set that is not closed.
  init?(_ bytes: [UInt8]) {
    var tokens: [Token] = []
    var at = 0
    while at < bytes.count {
      switch bytes[at] {
      case UInt8(ascii: "*"): if tokens.last != .any { tokens.append(.any) }
      case UInt8(ascii: "?"): tokens.append(.one)
      case UInt8(ascii: "["):
        guard let (set, end) = Self.set(bytes, at + 1) else { return nil }
        tokens.append(set)
        at = end
      case UInt8(ascii: "\\") where at + 1 < bytes.count:
        at += 1
        tokens.append(.byte(bytes[at]))
      case let byte: tokens.append(.byte(byte))
      }
      at += 1
    }
    self.tokens = tokens
  }

  /// The set that begins at `start`, and where its `]` stands.
  private static func set(_ bytes: [UInt8], _ start: Int) -> (Token, Int)? {
    var at = start
    let isInverted = at < bytes.count && [UInt8(ascii: "!"), UInt8(ascii: "^")].contains(bytes[at])
    if isInverted { at += 1 }
    var ranges: [ClosedRange<UInt8>] = []
    while at < bytes.count, bytes[at] != UInt8(ascii: "]") || ranges.isEmpty {
      let low = bytes[at]
      if at + 2 < bytes.count, bytes[at + 1] == UInt8(ascii: "-"),
        bytes[at + 2] != UInt8(ascii: "]")
      {
        ranges.append(min(low, bytes[at + 2])...max(low, bytes[at + 2]))
        at += 3
      } else {
        ranges.append(low...low)
        at += 1
      }
    }
    return at < bytes.count ? (.set(ranges, isInverted: isInverted), at) : nil
  }

  /// The one name that it matches, if it has no wildcard.
  var literal: [UInt8]? {
    var bytes: [UInt8] = []
    for token in tokens {
      guard case .byte(let byte) = token else { return nil }
      bytes.append(byte)
    }
    return bytes
  }

  /// Complexity: O(name · pattern) at worst.
  func matches(_ name: ArraySlice<UInt8>) -> Bool {
    var token = 0
    var at = name.startIndex
    // Where to go on, with one more byte for the last `*`.
    var retry: (token: Int, at: Int)?
    while at < name.endIndex {
      if token < tokens.count, tokens[token] == .any {
        retry = (token, at)
        token += 1
      } else if token < tokens.count, Self.takes(tokens[token], name[at]) {
        token += 1
        at += 1
      } else if let (star, from) = retry {
        retry = (star, from + 1)
        token = star + 1
        at = from + 1
      } else {
        return false
      }
    }
    while token < tokens.count, tokens[token] == .any { token += 1 }
    return token == tokens.count
  }

  private static func takes(_ token: Token, _ byte: UInt8) -> Bool {
    switch token {
    case .byte(let wanted): byte == wanted
    case .one: true
    case .any: false
    case .set(let ranges, let isInverted): ranges.contains { $0.contains(byte) } != isInverted
    }
  }
}

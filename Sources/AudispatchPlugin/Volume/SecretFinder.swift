/// What is taken out of the arguments of programs.
public struct RedactionRules: Equatable, Sendable {
  /// Options of the usual tools, names of variables, headers and tokens.
  public var builtIn = true
  /// Further options whose value is a secret, with their dashes: `--pin`.
  public var options: [String] = []
  /// POSIX extended regular expressions: their first group, or the whole, is a secret.
  public var patterns: [String] = []

  public init() {}
}

/// Finds secrets in the arguments of a program.
public struct SecretFinder {
  private struct Word {
    let argument: Int
    let range: Range<Int>
    /// Whether it is all of its argument.
    let isWhole: Bool
  }

  /// What the next word is.
  private enum Pending {
    case nothing
    case secret(unlessOption: Bool)
    case behind(UInt8)
  }

  private let rules: RedactionRules
  private let patterns: [SecretPattern]
  private let tools: [String: SecretWords.Tool]

  public init(_ rules: RedactionRules) throws(SecretPattern.Fault) {
    self.rules = rules
    var patterns: [SecretPattern] = []
    for text in rules.patterns { patterns.append(try SecretPattern(text)) }
    self.patterns = patterns
    var tools: [String: SecretWords.Tool] = [:]
    for tool in rules.builtIn ? SecretWords.tools : [] {
      for name in tool.names { tools[name] = tool }
    }
    self.tools = tools
  }

  /// The arguments with a mark in the place of each secret; `nil` when there is none in them.
  public func redacted(_ arguments: [[UInt8]]) -> [[UInt8]]? {
    var found: [Int: [Range<Int>]] = [:]
    findByWords(arguments, &found)
    for (place, argument) in arguments.enumerated() {
      if rules.builtIn {
        for range in SecretShapes.ranges(
          in: argument, isScript: Self.isScript(place, arguments))
        { found[place, default: []].append(range) }
      }
      for pattern in patterns {
        for range in pattern.ranges(in: argument) { found[place, default: []].append(range) }
      }
    }
    guard !found.isEmpty else { return nil }
    var result = arguments
    for (place, ranges) in found { result[place] = Self.marked(arguments[place], ranges) }
    return result
  }

  private static func marked(_ argument: [UInt8], _ ranges: [Range<Int>]) -> [UInt8] {
    var result: [UInt8] = []
    var at = 0
    for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      guard range.upperBound > at else { continue }
      // What overlaps, or goes on where another ends, is one.
      if range.lowerBound > at || at == 0 {
        result += argument[at..<max(range.lowerBound, at)]
        result += SecretWords.mark
      }
      at = range.upperBound
    }
    return result + argument[at...]
  }

  // MARK: Words

  private func findByWords(_ arguments: [[UInt8]], _ found: inout [Int: [Range<Int>]]) {
    var tool: SecretWords.Tool?
    var pending = Pending.nothing
    var operands: Int?
    var before: Word?
    var held: [String: Bool] = [:]
    // Once for each word that a tool asks for: there may be many arguments.
    func counts(_ tool: SecretWords.Tool) -> Bool {
      guard let word = tool.with else { return true }
      if let known = held[word] { return known }
      let isHeld = arguments.contains { $0.elementsEqual(word.utf8) }
      held[word] = isHeld
      return isHeld
    }
    let words = Self.words(of: arguments)
    for word in words {
      let argument = arguments[word.argument]
      let text = argument[word.range]
      defer { before = word }
      switch pending {
      case .secret(let unlessOption) where !(unlessOption && text.first == UInt8(ascii: "-")):
        // The value of an option that is an argument is all of the next one.
        let isAll = before?.isWhole == true && word.range.lowerBound == 0
        pending = .nothing
        guard !SecretShapes.isVariable(text) else { continue }
        found[word.argument, default: []].append(isAll ? 0..<argument.count : word.range)
        continue
      case .behind(let mark):
        if let range = Self.part(of: word.range, in: argument, behind: mark) {
          found[word.argument, default: []].append(range)
        }
        pending = .nothing
        continue
      case .secret, .nothing: pending = .nothing
      }
      if let range = option(
        text, word.range, argument, tool.flatMap { counts($0) ? $0 : nil }, &pending)
      {
        found[word.argument, default: []].append(range)
        continue
      }
      guard text.first != UInt8(ascii: "-") else { continue }
      let name = text[(text.lastIndex(of: UInt8(ascii: "/")).map { $0 + 1 } ?? text.startIndex)...]
      // What is an operand of a program may be called like another one.
      if tool?.operands.isEmpty ?? true, let next = tools[String(decoding: name, as: UTF8.self)] {
        tool = next
        operands = next.commands.isEmpty ? 0 : nil
      } else if let current = tool, !current.operands.isEmpty {
        if let count = operands {
          if counts(current), current.operands.contains(count) {
            found[word.argument, default: []].append(word.range)
          }
          operands = count + 1
        } else if current.commands.contains(where: { text.elementsEqual($0.utf8) }) {
          operands = 0
        }
      }
    }
  }

  /// Looks at a word as an option: the secret in it, and what the next word is.
  ///
  /// - Parameter tool: whose options count.
  private func option(
    _ text: ArraySlice<UInt8>, _ range: Range<Int>, _ argument: [UInt8],
    _ tool: SecretWords.Tool?, _ pending: inout Pending
  ) -> Range<Int>? {
    if text.first == UInt8(ascii: "-") {
      let name = text.prefix { $0 != UInt8(ascii: "=") }
      let plain = name.drop { $0 == UInt8(ascii: "-") }
      let isOurs = rules.options.contains { name.elementsEqual($0.utf8) }
      if isOurs || rules.builtIn && !Self.isQuestion(plain) && SecretWords.isSecret(plain) {
        guard name.endIndex < text.endIndex else {
          pending = .secret(unlessOption: !isOurs)
          return nil
        }
        let value = name.endIndex + 1..<range.upperBound
        return value.isEmpty || SecretShapes.isVariable(argument[value]) ? nil : value
      }
    }
    guard let tool else { return nil }
    for (option, value) in tool.options {
      guard let length = Self.length(of: option, in: text, tool.flags) else { continue }
      if text.count == length {
        switch value {
        case .any: pending = .secret(unlessOption: false)
        case .behind(let mark): pending = .behind(mark)
        case .attached: break
        }
        return nil
      }
      // Behind a long option stands `=`.
      let isLong = option.hasPrefix("--")
      guard !isLong || text[text.startIndex + length] == UInt8(ascii: "=") else { continue }
      let rest = range.lowerBound + length + (isLong ? 1 : 0)..<range.upperBound
      switch value {
      case .any, .attached: return rest.isEmpty ? nil : rest
      case .behind(let mark): return Self.part(of: rest, in: argument, behind: mark)
      }
    }
    return nil
  }

  /// How much of a word is that option, with the flags in front of its letter; `nil` where it is none.
  private static func length(
    of option: String, in text: ArraySlice<UInt8>, _ flags: String
  ) -> Int? {
    if text.starts(with: option.utf8) { return option.utf8.count }
    guard option.utf8.count == 2, let letter = option.utf8.last, text.first == option.utf8.first
    else { return nil }
    let place = text.dropFirst().firstIndex { !flags.utf8.contains($0) }
    return place.flatMap { text[$0] == letter ? $0 - text.startIndex + 1 : nil }
  }

  /// `--ask-password` and the like have no value.
  private static func isQuestion(_ name: ArraySlice<UInt8>) -> Bool {
    ["no-", "ask-", "prompt-", "disable-", "enable-", "without-"].contains {
      name.starts(with: $0.utf8)
    }
  }

  private static func part(
    of range: Range<Int>, in argument: [UInt8], behind mark: UInt8
  ) -> Range<Int>? {
    guard let place = argument[range].firstIndex(of: mark), place + 1 < range.upperBound else {
      return nil
    }
    return place + 1..<range.upperBound
  }

  /// Whether an argument is a text of several words: behind `-c`, or what is no option and no
  /// assignment.
  private static func isScript(_ place: Int, _ arguments: [[UInt8]]) -> Bool {
    let argument = arguments[place]
    guard argument.contains(where: { $0 <= 0x20 }) else { return false }
    if place > 0, arguments[place - 1].first == UInt8(ascii: "-"),
      arguments[place - 1].last == UInt8(ascii: "c")
    {
      return true
    }
    let first = argument.prefix { $0 > 0x20 }
    return argument.first != UInt8(ascii: "-")
      && (place == 0 || !first.contains(UInt8(ascii: "=")))
  }

  /// The words of all arguments. The text of a shell (`sh -c TEXT`), and a command line that is one
  /// argument, has several; quotes hold a word together.
  private static func words(of arguments: [[UInt8]]) -> [Word] {
    var words: [Word] = []
    for (place, argument) in arguments.enumerated() {
      guard isScript(place, arguments) else {
        words.append(Word(argument: place, range: 0..<argument.count, isWhole: true))
        continue
      }
      var start: Int?
      var quote: UInt8?
      for (at, byte) in argument.enumerated() {
        if byte == quote {
          quote = nil
        } else if quote == nil, byte == 0x22 || byte == 0x27 {
          quote = byte
        }
        if byte <= 0x20, quote == nil {
          if let begun = start {
            words.append(Word(argument: place, range: begun..<at, isWhole: false))
          }
          start = nil
        } else if start == nil {
          start = at
        }
      }
      if let start {
        words.append(Word(argument: place, range: start..<argument.count, isWhole: false))
      }
    }
    return words
  }
}

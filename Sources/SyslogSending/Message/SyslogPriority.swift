package import Configuration

/// What stands in front of every message: where it comes from, and how grave it is (`<13>`).
package struct SyslogPriority: Equatable, Sendable {
  package enum Level: Int, CaseIterable, Sendable {
    case emerg, alert, crit, err, warning, notice, info, debug
  }

  package enum Facility: Int, CaseIterable, Sendable {
    case user = 1
    case daemon = 3
    case auth = 4
    case syslog = 5
    case authpriv = 10
    case audit = 13
    case local0 = 16
    case local1, local2, local3, local4, local5, local6, local7
  }

  package var level = Level.info
  package var facility = Facility.user

  package init() {}

  /// The number in the brackets.
  package var number: Int { facility.rawValue << 3 | level.rawValue }

  /// Takes `LOG_INFO`, `LOG_LOCAL0` or, as a keyword's value, `info` and `local0`; in any case.
  package mutating func take(_ word: Word) throws(Diagnostic) {
    let name = Self.name(word)
    if let level = Self.level(name) {
      self.level = level
    } else if let facility = Self.facility(name) {
      self.facility = facility
    } else {
      throw word.error("no level and no facility", suggestion: Self.near(name, prefix: "LOG_"))
    }
  }

  package mutating func takeLevel(_ word: Word) throws(Diagnostic) {
    guard let level = Self.level(Self.name(word)) else {
      throw word.error(
        "level is one of \(Level.allCases.map(\.name).joined(separator: ", "))",
        suggestion: Suggestion.near(Self.name(word), among: Level.allCases.map(\.name)))
    }
    self.level = level
  }

  package mutating func takeFacility(_ word: Word) throws(Diagnostic) {
    guard let facility = Self.facility(Self.name(word)) else {
      throw word.error(
        "facility is one of \(Facility.allCases.map(\.name).joined(separator: ", "))",
        suggestion: Suggestion.near(Self.name(word), among: Facility.allCases.map(\.name)))
    }
    self.facility = facility
  }

  private static func name(_ word: Word) -> String {
    let text = word.text.lowercased()
    return text.hasPrefix("log_") ? String(text.dropFirst(4)) : text
  }

  private static func level(_ name: String) -> Level? {
    switch name {
    case "error": .err
    case "warn": .warning
    case "panic": .emerg
    default: Level.allCases.first { $0.name == name }
    }
  }

  private static func facility(_ name: String) -> Facility? {
    Facility.allCases.first { $0.name == name }
  }

  private static func near(_ name: String, prefix: String) -> String? {
    let known = Level.allCases.map(\.name) + Facility.allCases.map(\.name)
    return Suggestion.near(
      prefix + name.uppercased(), among: known.map { prefix + $0.uppercased() } + ["interpret"])
  }
}

extension SyslogPriority.Level {
  package var name: String { "\(self)" }
}

extension SyslogPriority.Facility {
  package var name: String { "\(self)" }
}

import AudispatchPlugin
import Configuration

/// When what was written is safe: auditd's words.
enum FlushMode: String, CaseIterable, Sendable {
  /// The system writes it to the disk when it likes.
  case none
  /// Synchronised after `freq` records.
  case incremental
  /// The same, by a thread of its own, while records go on being written.
  case incrementalAsync = "incremental_async"
  /// The data is on the disk before anything else is done.
  case data
  /// And everything about the file too.
  case sync
}

/// What is done at a limit: auditd's words.
enum LogAction: Equatable, Sendable {
  case ignore
  case syslog
  case rotate
  case keepLogs
  case email
  /// Runs a program, without arguments.
  case execute(String)
  /// Nothing is written until there is room again.
  case suspend
  case single
  case halt

  /// The words for what may be done when...
  static let forSize = ["ignore", "syslog", "suspend", "rotate", "keep_logs"]
  static let forSpace = [
    "ignore", "syslog", "rotate", "email", "exec", "suspend", "single", "halt",
  ]
  static let forFull = ["ignore", "syslog", "rotate", "exec", "suspend", "single", "halt"]
  static let forError = ["ignore", "syslog", "exec", "suspend", "single", "halt"]

  /// Reads `rotate` or `exec /path`; as an option the two are one word with a space.
  init(_ setting: Setting, among known: [String]) throws(Diagnostic) {
    let keyword = setting.keyword.text
    var words = setting.values.map(\.text)
    if words.count == 1 { words = words[0].split(separator: " ").map(String.init) }
    let name = words.first?.lowercased() ?? ""
    guard known.contains(name), let action = Self.plain[name] ?? Self.execution(words) else {
      if name == "exec", known.contains(name) {
        throw setting.values[0].error("exec is followed by the absolute path of a program")
      }
      throw setting.values[0].error(
        "\(keyword) is one of \(known.joined(separator: ", "))",
        suggestion: Suggestion.near(name, among: known))
    }
    if case .execute = action {
      guard words.count == 2 else {
        throw setting.values[0].error("the program of exec gets no arguments")
      }
    } else if words.count > 1 {
      throw setting.values[setting.values.count - 1].error("\(name) takes nothing more")
    }
    self = action
  }

  private static let plain: [String: LogAction] = [
    "ignore": .ignore, "syslog": .syslog, "rotate": .rotate, "keep_logs": .keepLogs,
    "email": .email, "suspend": .suspend, "single": .single, "halt": .halt,
  ]

  private static func execution(_ words: [String]) -> LogAction? {
    guard words.count >= 2, words[0].lowercased() == "exec", words[1].hasPrefix("/") else {
      return nil
    }
    return .execute(words[1])
  }
}

/// A limit of free space: `75` MiB, or `5%` of the file system.
enum SpaceLimit: Equatable, Sendable {
  case megabytes(Int)
  case percent(Int)

  init(_ word: Word, for keyword: String) throws(Diagnostic) {
    let text = word.text
    if text.hasSuffix("%"), let share = Int(text.dropLast()), (1...99).contains(share) {
      self = .percent(share)
    } else if let count = Int(text), (0...1 << 30).contains(count), !text.hasPrefix("+") {
      self = .megabytes(count)
    } else {
      throw word.error(
        "\(keyword) is a number of MiB, or 1% to 99% of the file system",
        suggestion: word.meantBytes.flatMap {
          $0 > 0 && $0 % (1 << 20) == 0 ? "did you mean '\($0 >> 20)'?" : nil
        })
    }
  }

  /// In bytes, on a file system of so many.
  func bytes(of total: Int) -> Int {
    switch self {
    case .megabytes(let count): count << 20
    case .percent(let share): total / 100 * share
    }
  }

  /// Whether this limit is below another on any file system; `nil` when that depends.
  func isBelow(_ other: SpaceLimit) -> Bool? {
    switch (self, other) {
    case (.megabytes(let a), .megabytes(let b)): a < b
    case (.percent(let a), .percent(let b)): a < b
    default: nil
    }
  }
}

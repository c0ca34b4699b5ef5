import Configuration

/// What is done when something happens: audisp-remote's words.
///
/// None of them lets go of a record or ends the plugin, whatever it is: a record is kept until a
/// server has stored it.
enum RemoteAction: Equatable, Sendable {
  /// Nothing is said.
  case ignore
  /// It is said: all of `syslog`, `warn_once`, `warn_once_continue`, `suspend`, `stop`, `reconnect`.
  case say
  /// A program runs, with what is said as its argument.
  case execute(String)
  case single
  case halt

  /// What can happen; the raw values are the keywords.
  enum Occasion: String, CaseIterable, Sendable {
    case networkFailure = "network_failure_action"
    case diskLow = "disk_low_action"
    case diskFull = "disk_full_action"
    case diskError = "disk_error_action"
    case remoteEnding = "remote_ending_action"
    case genericError = "generic_error_action"
    case genericWarning = "generic_warning_action"
    case queueError = "queue_error_action"
    case startupFailure = "startup_failure_action"
    case overflow = "overflow_action"

    var about: String {
      switch self {
      case .networkFailure: "when a record was tried so often in vain (stop)"
      case .diskLow: "when a server has little room (ignore)"
      case .diskFull: "when a server's disk is full (warn_once)"
      case .diskError: "when a server cannot write (warn_once)"
      case .remoteEnding: "when a server ends (reconnect)"
      case .genericError: "at another failure of a server (syslog)"
      case .genericWarning: "at another warning of a server (syslog)"
      case .queueError: "when what waits cannot be kept (stop)"
      case .startupFailure: "when no server is there at first (warn_once_continue)"
      case .overflow: "when no more may wait (syslog)"
      }
    }

    /// The words that it takes.
    var words: [String] {
      switch self {
      case .startupFailure: ["ignore", "syslog", "exec", "warn_once_continue", "warn_once"]
      case .overflow: ["ignore", "syslog", "suspend", "single", "halt"]
      case .remoteEnding: Self.usual + ["reconnect"]
      default: Self.usual
      }
    }

    private static let usual = [
      "ignore", "syslog", "exec", "warn_once_continue", "warn_once", "suspend", "single", "halt",
      "stop",
    ]

    var usually: RemoteAction { self == .diskLow ? .ignore : .say }
  }

  /// Reads `stop` or `exec /path`; as an option the two are one word with a space.
  init(_ setting: Setting, for occasion: Occasion) throws(Diagnostic) {
    var words = setting.values.map(\.text)
    if words.count == 1 { words = words[0].split(separator: " ").map(String.init) }
    let name = words.first?.lowercased() ?? ""
    guard occasion.words.contains(name) else {
      throw setting.values[0].error(
        "\(occasion.rawValue) is one of \(occasion.words.joined(separator: ", "))",
        suggestion: Suggestion.near(name, among: occasion.words))
    }
    if name == "exec" {
      guard words.count == 2, words[1].hasPrefix("/") else {
        throw setting.values[0].error(
          "exec is followed by the absolute path of a program, and nothing more")
      }
      self = .execute(words[1])
      return
    }
    guard words.count == 1 else {
      throw setting.values[setting.values.count - 1].error("\(name) takes nothing more")
    }
    switch name {
    case "ignore": self = .ignore
    case "single": self = .single
    case "halt": self = .halt
    default: self = .say
    }
  }

  /// Whether it executes something.
  var runsPrograms: Bool {
    switch self {
    case .execute, .single, .halt: true
    case .ignore, .say: false
    }
  }
}

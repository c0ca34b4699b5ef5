import AudispatchPlugin

/// Who made a change, for a person at a terminal.
extension TextReport {
  /// Programs of a chain, and events to look up, that are named of one author.
  private static let most = 8

  ///     by      alice (1000) in session 5 as uid 0 on pts1: exact
  ///             vim /etc/passwd [/usr/bin/vim.basic, pid 4242], from sudo vim /etc/passwd, from bash
  ///             audit events 1493125524.089:126
  static func lines(_ attribution: Attribution) -> [String] {
    guard !attribution.candidates.isEmpty else {
      return ["  by      unknown: \(attribution.reasons.joined(separator: "; "))"]
    }
    var lines: [String] = []
    for candidate in attribution.candidates {
      let word = attribution.confidence == .exact ? "by" : "perhaps"
      var line = "  \(padded(word, 7)) \(person(candidate))"
      if attribution.confidence == .exact { line += ": exact" }
      lines.append(line)
      if let deed = candidate.deeds.last { lines.append("          \(programs(deed))") }
      let stamps = candidate.deeds.prefix(most).map(\.stamp.text).joined(separator: " ")
      let more = candidate.deeds.count - most
      lines.append("          audit events \(stamps)\(more > 0 ? " and \(more) more" : "")")
    }
    if attribution.confidence != .exact {
      lines.append("  not exact: \(attribution.reasons.joined(separator: "; "))")
    }
    return lines
  }

  static func person(_ candidate: Attribution.Candidate) -> String {
    let deed = candidate.deeds[candidate.deeds.count - 1]
    var text =
      switch candidate.author.login {
      case .user(let number):
        deed.loginName.map { "\(SafeText.word($0)) (\(number))" } ?? "login uid \(number)"
      case .unset: "no login"
      case .unknown: "an unknown login"
      }
    if let session = candidate.author.session { text += " in session \(session)" }
    if let user = deed.effectiveUser ?? deed.user { text += " as uid \(user)" }
    if let terminal = deed.terminal { text += " on \(SafeText.word(terminal))" }
    return text
  }

  private static func programs(_ deed: Deed) -> String {
    let own = "\(command(deed.program)) [\(executable(deed.program)), pid \(deed.program.pid)]"
    let above = deed.ancestors.prefix(most).map { ", from \(command($0))" }.joined()
    return own + above
  }

  static func executable(_ program: Deed.Program) -> String {
    program.executable.map { SafeText.word($0) } ?? "unknown"
  }

  static func command(_ program: Deed.Program) -> String {
    program.arguments.isEmpty
      ? executable(program) : program.arguments.map { SafeText.word($0) }.joined(separator: " ")
  }
}

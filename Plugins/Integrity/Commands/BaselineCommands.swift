import AudispatchPlugin
import Linux

/// The commands that read the baseline alone.
extension CommandExecution {
  private var isAsked: (FilePath) -> Bool {
    let paths = paths
    return { path in paths.isEmpty || paths.contains(where: path.isWithin) }
  }

  mutating func list() throws -> Int32 {
    let baseline = try Baseline.open(options.database, readOnly: true)
    for generation in try baseline.links().map(\.generation) {
      guard options.format == .text else { break }
      try output.line("# " + generation.shown)
    }
    var lines: [String] = []
    let isAsked = isAsked
    let format = options.format
    try baseline.forEachEntry { path, state, _ in
      guard isAsked(path) else { return }
      lines.append(
        format == .json
          ? JSONReport.line(path, state)
          : "\(TextReport.padded(state.type.rawValue, 12)) \(FileState.octal(state.facts.mode)) "
            + "\(state.facts.user):\(state.facts.group) \(state.facts.size) \(path.shown)")
    }
    for line in lines { try output.line(line) }
    return Command.Status.same
  }

  mutating func show() throws -> Int32 {
    let baseline = try Baseline.open(options.database, readOnly: true)
    let path = paths[0]
    guard let state = try baseline.state(of: path) else {
      log.write(.error, "\(path.shown) is not in the baseline")
      return Command.Status.different
    }
    if options.format == .json {
      try output.line(JSONReport.line(path, state))
      return Command.Status.same
    }
    try output.line(path.shown)
    for line in TextReport.lines(state) { try output.line("  " + line) }
    let others = try baseline.paths(ofInode: state.facts.inode, on: state.facts.device)
    for other in others where other != path { try output.line("  also \(other.shown)") }
    let generations = try baseline.links().map(\.generation)
    for step in try baseline.history(of: path) {
      guard let generation = generations.first(where: { $0.number == step.generation }) else {
        continue
      }
      let what = step.before == nil ? "added" : step.after == nil ? "removed" : "changed"
      try output.line("  \(what) by \(generation.shown)")
    }
    return Command.Status.same
  }

  /// Whose signatures count; with a reason where the key that would say it cannot be used here.
  func trustedKey() -> (publicKey: [UInt8]?, obstacle: String?) {
    if let publicKey = options.publicKey { return (publicKey, nil) }
    do { return (try options.key()?.publicKey, nil) } catch {
      return (nil, "\(error): without 'public_key' signatures of any key count")
    }
  }

  /// Looks for what another program did to the baseline.
  mutating func verify() throws -> Int32 {
    let baseline = try Baseline.open(options.database, readOnly: true)
    let (publicKey, obstacle) = trustedKey()
    if let obstacle { log.write(.warning, obstacle) }
    let found = Verification(
      baseline, head: options.head, publicKey: publicKey, seen: options.database + ".seen")
    for problem in found.problems { try output.line(problem) }
    if let last = found.links.last {
      let head = ChainHead(sequence: last.generation.number, digest: last.head)
      try output.line("head \(head.shown)")
    }
    try output.line(
      "\(TextReport.counted(found.entries, "entry", "entries")), "
        + TextReport.counted(found.problems.count, "problem", "problems"))
    if !found.problems.isEmpty { return Command.Status.different }
    return obstacle == nil ? Command.Status.same : Command.Status.incomplete
  }

  /// Makes the key that signs changes, if it is not there yet, and says whose it is.
  mutating func key() throws -> Int32 {
    guard let path = options.signingKey else {
      log.write(.error, "no key is configured: write 'signing_key = /etc/audispatch/integrity.key'")
      return Command.Status.unusable
    }
    let isThere = (try? Files.status(of: path)) != nil
    let key = try isThere ? SigningKey(file: path) : SigningKey.make(path)
    try output.line("public_key \(FileState.hex(key.publicKey))")
    return Command.Status.same
  }

  /// Every entry as a line of JSON.
  mutating func export() throws -> Int32 {
    let baseline = try Baseline.open(options.database, readOnly: true)
    var output = output
    var failure: (any Error)?
    let isAsked = isAsked
    try baseline.forEachEntry { path, state, _ in
      guard failure == nil, isAsked(path) else { return }
      do { try output.line(JSONReport.line(path, state)) } catch { failure = error }
    }
    self.output = output
    if let failure { throw failure }
    return Command.Status.same
  }

  /// Which rule decides about a path, and why.
  mutating func explain() throws -> Int32 {
    let path = paths[0]
    let rules = options.policy.rules(naming: path)
    guard let last = rules.last else {
      try output.line("\(path.shown) is not watched: no rule names it")
      return Command.Status.same
    }
    switch last.effect {
    case .ignore: try output.line("\(path.shown) is not watched")
    case .watch(let attributes, let severity):
      try output.line("\(path.shown) is watched: \(attributes.text), severity \(severity.rawValue)")
    }
    try output.line("  by \(last.shown), the last rule that names it")
    for rule in rules.dropLast().reversed() { try output.line("  over \(rule.shown)") }
    return Command.Status.same
  }
}

extension PolicyRule {
  /// `'watch = /etc' (FILE:LINE)`.
  var shown: String {
    let keyword =
      switch effect {
      case .ignore: "ignore"
      case .watch: isRecursive ? "watch" : "watch_entry"
      }
    return "'\(keyword) = \(pattern.text)' (\(place))"
  }
}

extension Generation {
  var shown: String {
    "\(command) of \(Timestamp.text(milliseconds: at)), \(actor.shown)"
      + (shownReason.map { ": \($0)" } ?? "")
  }

  var shownReason: String? { reason.map { SafeText.line(Array($0.utf8)) } }
}

extension Policy {
  /// The rule that decides about a path, for people.
  func rule(deciding path: FilePath) -> String? { decision(for: path).rule.map { rules[$0].shown } }

  /// All rules in one form, to tell whether two are the same.
  var text: String {
    rules.map { rule in
      let kind = rule.isRecursive ? "all" : "entry"
      return switch rule.effect {
      case .ignore: "ignore \(rule.pattern.text)"
      case .watch(let attributes, let severity):
        "watch \(kind) \(rule.pattern.text) \(attributes.rawValue) \(severity.rawValue)"
      }
    }.joined(separator: "\n")
  }
}

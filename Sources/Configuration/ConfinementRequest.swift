import Linux

/// What a file asks for of confinement, before its users, groups and paths are looked for.
struct ConfinementRequest {
  /// What needs no look at the host.
  private var confinement = Confinement()
  private var user: Word?
  private var group: Word?
  private var groups: [Word]?
  private var reading: [Word]?
  private var writing: [Word]?
  private var refusesNoNewPrivileges: Word?

  /// In a file of `plugins.d` only.
  static let keywords: [Keyword<ConfinementRequest>] = whom + limits

  private static let whom: [Keyword<ConfinementRequest>] = [
    Keyword("capabilities", "NAME", "that it has") {
      (request: inout ConfinementRequest, setting: Setting) throws(Diagnostic) in
      request.confinement.capabilities = try setting.capabilities()
    },
    .value("group", "GROUP", "that it runs with") { $0.group = $1 },
    .value("no_new_privs", "YES|NO", "whether no program gives it more", standard: "no") {
      (request: inout ConfinementRequest, word: Word) throws(Diagnostic) in
      let isSet = try word.yesOrNo(for: "no_new_privs")
      request.confinement.noNewPrivileges = isSet
      request.refusesNoNewPrivileges = isSet ? nil : word
    },
    Keyword("read_paths", "PATH", "that it may read") {
      (request: inout ConfinementRequest, setting: Setting) throws(Diagnostic) in
      request.reading = try paths(setting)
    },
    Keyword("supplementary_groups", "GROUP", "that it has beside its own") {
      $0.groups = $1.isNone ? [] : $1.values
    },
    .value("user", "USER", "whom it runs as") { $0.user = $1 },
    Keyword("write_paths", "PATH", "that it may write to and read") {
      (request: inout ConfinementRequest, setting: Setting) throws(Diagnostic) in
      request.writing = try paths(setting)
    },
  ]

  private static let limits: [Keyword<ConfinementRequest>] = [
    .value("limit_core", "BYTES", "of a core file") {
      (request: inout ConfinementRequest, word: Word) throws(Diagnostic) in
      request.confinement.limits.core = Int64(
        try word.byteCount(in: 0...(1 << 50), for: "limit_core"))
    },
    .value("limit_files", "NUMBER", "of files that it may have open") {
      (request: inout ConfinementRequest, word: Word) throws(Diagnostic) in
      request.confinement.limits.files = Int64(
        try word.number(in: 8...(1 << 30), for: "limit_files"))
    },
    .value("limit_memory", "BYTES", "of its address space") {
      (request: inout ConfinementRequest, word: Word) throws(Diagnostic) in
      request.confinement.limits.memory = Int64(
        try word.byteCount(in: (1 << 20)...(1 << 50), for: "limit_memory"))
    },
    .value("limit_processes", "NUMBER", "of processes of its user") {
      (request: inout ConfinementRequest, word: Word) throws(Diagnostic) in
      request.confinement.limits.processes = Int64(
        try word.number(in: 1...(1 << 22), for: "limit_processes"))
    },
  ]

  private static func paths(_ setting: Setting) throws(Diagnostic) -> [Word] {
    if setting.isNone { return [] }
    for word in setting.values { _ = try word.absolutePath(for: setting.keyword.text) }
    return setting.values
  }

  /// With everything looked up. What is only doubtful goes into `warnings`.
  func resolved(
    _ environment: LoadEnvironment, warnings: inout [Diagnostic]
  ) throws(Diagnostic) -> Confinement {
    var confinement = confinement
    if user != nil || group != nil || groups != nil {
      let accounts = Accounts(environment.files)
      if let user {
        let found = try accounts.user(user)
        confinement.user = found.id
        confinement.group = found.group
      }
      if let group { confinement.group = try accounts.group(group) }
      if let user, confinement.group == nil {
        throw user.error(
          "its group is not known, as \(Accounts.passwordFile) does not have it",
          suggestion: "add a line 'group = …'")
      }
      if let groups {
        var ids: [UInt32] = []
        for word in groups { ids.append(try accounts.group(word)) }
        confinement.supplementaryGroups = ids
      }
    }
    confinement.readPaths = reading?.map { withoutSlash($0.text) }
    confinement.writePaths = writing?.map { withoutSlash($0.text) }
    for path in (reading ?? []) + (writing ?? [])
    where withoutSlash(path.text) != environment.runtimeDirectory {
      if case .failure(let errno) = environment.files.status(withoutSlash(path.text)) {
        warnings.append(
          path.warning(
            errno == .noSuchFile ? "is not there: left out" : "cannot be examined: \(errno)"))
      }
    }
    guard let paths = reading?.first ?? writing?.first else { return confinement }
    if let refusal = refusesNoNewPrivileges {
      throw refusal.error("read_paths and write_paths need no_new_privs")
    }
    if let shortcoming = Landlock.shortcoming(of: environment.landlockVersion) {
      warnings.append(paths.warning(shortcoming))
    }
    return confinement
  }
}

extension Setting {
  var isNone: Bool { values.count == 1 && values[0].text.lowercased() == "none" }

  /// `none`, or names of capabilities.
  func capabilities() throws(Diagnostic) -> Capabilities {
    if isNone { return [] }
    var capabilities: Capabilities = []
    for word in values {
      guard let capability = Capabilities(named: word.text) else {
        throw word.error(
          "unknown capability",
          suggestion: Suggestion.near(word.text, among: Capabilities.names.map { "CAP_" + $0 })
            ?? Suggestion.near(word.text, among: Capabilities.names.map { $0.lowercased() })
            ?? "capabilities(7) lists them; none: no capability")
      }
      capabilities.formUnion(capability)
    }
    return capabilities
  }
}

import Linux

/// The keywords of confinement; in a file of `plugins.d` only.
enum ConfinementKeyword: String, CaseIterable {
  case capabilities
  case group
  case limitCore = "limit_core"
  case limitFiles = "limit_files"
  case limitMemory = "limit_memory"
  case limitProcesses = "limit_processes"
  case noNewPrivileges = "no_new_privs"
  case readPaths = "read_paths"
  case supplementaryGroups = "supplementary_groups"
  case user
  case writePaths = "write_paths"
}

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

  mutating func apply(_ setting: Setting, _ keyword: ConfinementKeyword) throws(Diagnostic) {
    let name = keyword.rawValue
    switch keyword {
    case .capabilities: confinement.capabilities = try setting.capabilities()
    case .group: group = try setting.single()
    case .limitCore:
      confinement.limits.core = Int64(
        try setting.single().byteCount(in: 0...(1 << 50), for: name))
    case .limitFiles:
      confinement.limits.files = Int64(
        try setting.single().number(in: 8...(1 << 30), for: name))
    case .limitMemory:
      confinement.limits.memory = Int64(
        try setting.single().byteCount(in: (1 << 20)...(1 << 50), for: name))
    case .limitProcesses:
      confinement.limits.processes = Int64(
        try setting.single().number(in: 1...(1 << 22), for: name))
    case .noNewPrivileges:
      let value = try setting.single()
      confinement.noNewPrivileges = try value.yesOrNo(for: name)
      refusesNoNewPrivileges = confinement.noNewPrivileges ? nil : value
    case .readPaths: reading = try Self.paths(setting)
    case .supplementaryGroups:
      groups = setting.isNone ? [] : setting.values
    case .user: user = try setting.single()
    case .writePaths: writing = try Self.paths(setting)
    }
  }

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
    for path in (reading ?? []) + (writing ?? []) {
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

import Linux

/// Finds and judges the executable of a plugin.
struct PluginExecutable {
  /// Where our plugins are installed.
  static let installedFolder = "/usr/libexec/audispatch"

  var environment: LoadEnvironment

  /// A name without a folder that is one of our own plugins'.
  static func isOwn(_ path: String) -> Bool {
    path.hasPrefix("audispatch-") && !path.contains("/") && path.utf8.count > 11
  }

  /// The absolute path of what is written as `path`: one of our own is beside the daemon, else in
  /// the installed folder, which is also the answer when it is in neither.
  func located(_ path: String) -> String {
    guard Self.isOwn(path) else { return path }
    let beside = Files.folder(of: environment.daemonExecutable) + "/" + path
    if case .success(let status) = environment.files.status(beside), status.kind == .regular {
      return beside
    }
    return Self.installedFolder + "/" + path
  }

  /// Whether one of our own is there at all.
  func isInstalled(_ program: String) -> Bool {
    if case .success = environment.files.status(located(program)) { true } else { false }
  }

  enum Verdict: Equatable {
    case usable(ExecutableIdentity)
    /// It is the daemon itself.
    case dispatcher
    case refused(FileTrust.Objection)
  }

  /// Whether the executable may be started. `path` is absolute.
  func verdict(on path: String, written: String) -> Verdict {
    let files = environment.files
    let status: FileStatus
    switch files.status(path) {
    case .success(let found): status = found
    case .failure(.noSuchFile): return .refused(missing(path, written: written))
    case .failure(let errno):
      return .refused(FileTrust.Objection(message: "cannot examine \(path): \(errno)"))
    }
    guard status.kind == .regular else {
      return .refused(
        FileTrust.Objection(message: "\(path) is a \(status.kind.rawValue), not an executable"))
    }
    // Who is neither root nor the owner needs a bit of the group's or of the others'.
    let isOwners = environment.user == 0 || status.owner == environment.user
    guard status.mode & (isOwners ? 0o100 : 0o011) != 0 else {
      let mode = "mode 0\(String(status.mode, radix: 8))"
      // Only what was made to be executed should become executable.
      guard isProgram(path) else {
        return .refused(
          FileTrust.Objection(message: "\(path) is neither a program nor a script (\(mode))"))
      }
      return .refused(
        FileTrust.Objection(
          message: "\(path) is not executable (\(mode))", suggestion: "chmod 0755 \(path)"))
    }
    let trust = FileTrust(user: environment.user)
    if let objection = trust.objection(to: status, at: path, called: path)
      ?? trust.objection(toFolderOf: path, files)
    {
      return .refused(objection)
    }
    if case .success(let daemon) = files.status(environment.daemonExecutable),
      daemon.device == status.device, daemon.inode == status.inode, daemon.inode != 0
    {
      return .dispatcher
    }
    return .usable(
      ExecutableIdentity(device: status.device, inode: status.inode, modified: status.modified))
  }

  /// Whether a file begins as what a kernel executes.
  private func isProgram(_ path: String) -> Bool {
    guard case .success(_, let start?) = environment.files.contents(path, 4) else { return false }
    return start.starts(with: "#!".utf8) || start.starts(with: "\u{7f}ELF".utf8)
  }

  /// What keeps a script from being executed, whoever does: its interpreter is not there.
  func missingInterpreter(of path: String) -> String? {
    guard case .success(_, let head?) = environment.files.contents(path, 2),
      head.starts(with: "#!".utf8)
    else { return nil }
    let failure = SpawnError(path: path, stage: "exec", cause: .noSuchFile)
    return StartFailure(environment.files).reason(failure, Confinement()).map {
      "\(path) cannot be executed: \($0)"
    }
  }

  /// What keeps the confinement's user from executing a path, nil when nothing does. Where links lead
  /// is not followed up.
  func obstacle(to path: String, for confinement: Confinement) -> FileTrust.Objection? {
    guard let user = confinement.user, user != 0, confinement.capabilities ?? [] == [] else {
      return nil
    }
    let groups = (confinement.supplementaryGroups ?? []) + (confinement.group.map { [$0] } ?? [])
    var place = path
    while true {
      guard case .success(let status) = environment.files.status(place) else { return nil }
      let bit: UInt32 =
        status.owner == user ? 0o100 : groups.contains(status.group) ? 0o010 : 0o001
      if status.mode & bit == 0 {
        return FileTrust.Objection(
          message: "uid \(user) may not execute \(path): "
            + "\(place) has mode 0\(String(status.mode, radix: 8))",
          suggestion: "chmod \(bit == 0o001 ? "o" : bit == 0o010 ? "g" : "u")+x \(place)")
      }
      if place == "/" { return nil }
      place = Files.folder(of: place)
    }
  }

  private func missing(_ path: String, written: String) -> FileTrust.Objection {
    var folders = [Files.folder(of: path)]
    if Self.isOwn(written) { folders.insert(Files.folder(of: environment.daemonExecutable), at: 0) }
    let message = "there is no \(Files.lastPart(of: path)) in \(folders.joined(separator: " or "))"
    let there = folders.flatMap { folder -> [(name: String, path: String)] in
      guard case .success(let names) = environment.files.names(folder) else { return [] }
      return names.sorted().map { ($0, (folder == "/" ? "/" : folder + "/") + $0) }
        .filter { $0.path != environment.daemonExecutable }
    }
    if let meant = Suggestion.nearest(
      Files.lastPart(of: path), among: there.map(\.name), share: Suggestion.manyNames),
      let found = there.first(where: { $0.name == meant })
    {
      return FileTrust.Objection(message: message, suggestion: "did you mean '\(found.path)'?")
    }
    return FileTrust.Objection(message: message)
  }
}

import Glibc
package import Linux

/// What of a plugin's own confinement may stand behind a refusal that it met: a clause that names
/// the keyword. Judges by the text alone, and looks at no file.
package struct ConfinementAdvice {
  private let confinement: Confinement
  /// The plugin's executable, which it may always read.
  private let program: String

  package init(_ confinement: Confinement, program: String) {
    self.confinement = confinement
    self.program = program
  }

  /// On what a plugin said or the system answered; `nil`: it was no refusal, or no confinement can
  /// be behind it.
  package func clause(on message: String) -> String? {
    guard confinement != Confinement() else { return nil }
    if message.holds("Operation not permitted") { return rights("") }
    guard message.holds("Permission denied") else { return nil }
    guard let path = Self.path(in: message) else {
      let all = [paths, rights("")].compactMap(\.self)
      return all.isEmpty ? nil : all.joined(separator: "; ")
    }
    return clause(onPath: path)
  }

  /// Why it may not use a path.
  package func clause(onPath path: String) -> String? {
    guard confinement.restrictsPaths else { return rights(" at \(path)") }
    let reads = confinement.readPaths ?? []
    let writes = confinement.writePaths ?? []
    if Self.isBelow(path, writes + ["/dev/null"]) { return rights(" at \(path)") }
    guard Self.isBelow(path, reads + [program] + Self.libraries) else {
      return "\(path) is below neither read_paths (\(Self.list(reads))) nor write_paths "
        + "(\(Self.list(writes)))"
    }
    let rest = rights(" at \(path)").map { "; else \($0)" } ?? ""
    return "\(path) is not below write_paths (\(Self.list(writes))), if it is to be written\(rest)"
  }

  private var paths: String? {
    guard confinement.restrictsPaths else { return nil }
    return
      "it may read below read_paths (\(Self.list(confinement.readPaths ?? []))) and write below "
      + "write_paths (\(Self.list(confinement.writePaths ?? [])))"
  }

  /// Who it is and what it may do.
  private func rights(_ place: String) -> String? {
    let kept = confinement.capabilities?.names.joined(separator: " ")
    let capabilities = kept.map { $0.isEmpty ? "none" : $0 }
    switch (confinement.user, capabilities) {
    case (nil, nil), (0, nil): return nil
    case (let user, let capabilities):
      let who = user ?? 0 == 0 ? "root" : "uid \(user ?? 0)"
      let power = capabilities ?? "none"
      return
        "\(who) with capabilities = \(power) may do\(place) what owner, group and mode allow: see "
        + "user, group, supplementary_groups and capabilities"
    }
  }

  /// Everywhere the same whether `/lib` is a link or not.
  private static let libraries = [
    "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache", "/proc/self",
  ]

  private static func isBelow(_ path: String, _ folders: [String]) -> Bool {
    let path = merged(path)
    return folders.contains { folder in
      let folder = merged(folder)
      return folder == "/" || path == folder || path.hasPrefix(folder + "/")
    }
  }

  /// Of a host where `/bin` and its like are links into `/usr`.
  private static func merged(_ path: String) -> String {
    let first = path.dropFirst().prefix { $0 != "/" }
    return ["bin", "sbin", "lib", "lib32", "lib64"].contains(first) ? "/usr" + path : path
  }

  private static func list(_ paths: [String]) -> String {
    paths.isEmpty ? "none" : paths.joined(separator: " ")
  }

  /// The last absolute path in a message: programs name themselves first.
  static func path(in message: String) -> String? {
    let ends: Set<Character> = [
      " ", "\t", "'", "\"", ":", ";", ",", "(", ")", "`", "’", "‘", "»", "«",
    ]
    return message.split(whereSeparator: ends.contains).last {
      $0.hasPrefix("/") && $0.utf8.count > 1
    }.map(String.init)
  }
}

/// Why an executable could not be executed, beyond the system's own words.
package struct StartFailure {
  private let files: FileAccess
  /// What this process can give away.
  private let permitted: Capabilities

  package init(_ files: FileAccess = .system, permitted: Capabilities = .permitted) {
    self.files = files
    self.permitted = permitted
  }

  /// A clause on why, and what to do; `nil`: nothing more is known. Reads the file's first line.
  package func reason(_ error: SpawnError, _ confinement: Confinement) -> String? {
    guard error.stage == "exec" else {
      guard error.cause == Errno(EPERM) else { return nil }
      return confinement.objection(within: permitted).map {
        "\($0), which audispatchd itself has not got: as a service, add it to its unit's "
          + "CapabilityBoundingSet"
      }
    }
    let advice = ConfinementAdvice(confinement, program: error.path)
    let head: [UInt8]
    switch files.contents(error.path, 256) {
    case .success(_, let bytes?): head = bytes
    // Not even its user may read it.
    default: return error.cause == .notAllowed ? advice.clause(onPath: error.path) : nil
    }
    guard head.starts(with: "#!".utf8) else {
      switch error.cause {
      case .notExecutable:
        return head.starts(with: "\u{7F}ELF".utf8)
          ? "it is a program for another machine"
          : "it has no '#!' line at its beginning: add one such as '#!/bin/sh'"
      case .notAllowed:
        return advice.clause(onPath: error.path) ?? "its file system may be mounted noexec"
      case .noSuchFile: return "the loader that it names is not there"
      default: return nil
      }
    }
    let line = head.dropFirst(2).prefix { $0 != 0x0a }
    let words = line.split { $0 == 0x20 || $0 == 0x09 }
    guard let first = words.first else { return "its '#!' line names no interpreter" }
    let interpreter = String(decoding: first, as: UTF8.self)
    if interpreter.hasSuffix("\r") {
      return "its '#!' line ends with a carriage return: give it the line ends of Unix"
    }
    switch (error.cause, files.status(interpreter)) {
    case (.noSuchFile, .failure): return "its interpreter \(interpreter) is not there"
    case (.notAllowed, .success(let status)) where status.mode & 0o111 == 0:
      return "its interpreter \(interpreter) is not executable"
    case (.notAllowed, _):
      return "its interpreter: "
        + (advice.clause(onPath: interpreter) ?? "\(interpreter) may not be executed")
    default: return nil
    }
  }
}

extension FileAccess {
  /// What a child found that could not execute its file: knows that file and its interpreter only, and
  /// looks at nothing.
  package static func found(_ failure: StartAttempt.Failure) -> FileAccess {
    let nothing = Errno.noSuchFile
    return FileAccess(
      status: { _ in
        failure.interpreter.map { FileStatus(kind: .regular, owner: 0, mode: $0) }
      },
      linkStatus: { _ in .failure(nothing) }, names: { _ in .failure(nothing) },
      resolved: { _ in .failure(nothing) },
      contents: { _, _ in
        guard let head = failure.head else { return .failure(nothing) }
        return .success(FileStatus(kind: .regular, owner: 0, mode: 0o755), head)
      })
  }
}

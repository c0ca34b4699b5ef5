import Linux

/// What can be seen of the files of keys and certificates before a peer connects.
extension RemoteConfiguration {
  /// Bytes that a file of certificates or of revoked ones may have.
  public static let certificatesLimit = 4 << 20

  /// Whether, as far as the files show, any peer could connect over TLS. Reads them, and blocks for as
  /// long as that takes.
  public func canServeTLS(_ files: FileAccess = .system, user: UInt32) -> Bool {
    if keys.contains(where: { problem(ofKey: $0.file, "", files, user) == nil }) { return true }
    guard certificate != nil, key != nil, authorities != nil else { return false }
    return [certificate, key, authorities, revoked].compactMap(\.self).allSatisfy {
      problem(of: $0, "", isSecret: $0 == key, files, user) == nil
    }
  }

  /// What is wrong with each file that the configuration names.
  ///
  /// - Parameters:
  ///   - file: the configuration's.
  ///   - user: whom secrets may belong to beside root.
  func fileProblems(file: String, _ files: FileAccess, user: UInt32) -> [Diagnostic] {
    var found = keys.compactMap { problem(ofKey: $0.file, file, files, user) }
    for (path, isSecret) in [
      (certificate, false), (key, true), (authorities, false), (revoked, false),
    ] {
      guard let path else { continue }
      if let problem = problem(of: path, file, isSecret: isSecret, files, user) {
        found.append(problem)
      }
    }
    return found
  }

  private func problem(
    ofKey path: String, _ file: String, _ files: FileAccess, _ user: UInt32
  ) -> Diagnostic? {
    if let problem = problem(of: path, file, isSecret: true, files, user) { return problem }
    guard case .success(_, let bytes?) = files.contents(path, SharedKeyText.limit),
      SharedKeyText.key(bytes) == nil
    else { return nil }
    return Diagnostic(
      .error, file: file, word: path,
      "the key's first line is not 32 bytes or more in hexadecimal",
      suggestion: "openssl rand -hex 32 makes one")
  }

  private func problem(
    of path: String, _ file: String, isSecret: Bool, _ files: FileAccess, _ user: UInt32
  ) -> Diagnostic? {
    switch files.contents(path, isSecret ? SharedKeyText.limit : Self.certificatesLimit) {
    case .failure(let errno):
      return Diagnostic(.error, file: file, word: path, "the file cannot be read: \(errno)")
    case .success(let status, nil):
      return Diagnostic(
        .error, file: file, word: path, "it is a \(status.kind.rawValue), not a file")
    case .success(let status, _):
      guard isSecret, status.mode & 0o077 != 0 || ![0, user].contains(status.owner) else {
        return nil
      }
      return Diagnostic(
        .error, file: file, word: path, "others may have read it, and it is not used",
        suggestion: "chown root \(path); chmod 0400 \(path)")
    }
  }
}

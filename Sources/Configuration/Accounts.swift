/// The users and groups of a host as its files have them.
///
/// Read from `/etc/passwd` and `/etc/group` alone: asking a directory server can take for ever, and
/// nothing may hold up the dispatcher. Who is not in them is named by a number.
struct Accounts {
  struct User: Equatable {
    var id: UInt32
    var group: UInt32
  }

  private(set) var users: [String: User] = [:]
  private(set) var groups: [String: UInt32] = [:]

  static let passwordFile = "/etc/passwd"
  static let groupFile = "/etc/group"
  private static let limit = 16 << 20

  /// Lines that are no accounts are passed over, as are files that cannot be read.
  init(_ files: FileAccess) {
    for fields in Self.lines(of: Self.passwordFile, files) where fields.count >= 4 {
      guard let id = UInt32(fields[2]), let group = UInt32(fields[3]) else { continue }
      let name = String(fields[0])
      if users[name] == nil { users[name] = User(id: id, group: group) }
    }
    for fields in Self.lines(of: Self.groupFile, files) where fields.count >= 3 {
      guard let id = UInt32(fields[2]) else { continue }
      let name = String(fields[0])
      if groups[name] == nil { groups[name] = id }
    }
  }

  private static func lines(of path: String, _ files: FileAccess) -> [[Substring]] {
    guard case .success(_, let bytes?) = files.contents(path, limit) else { return [] }
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map {
      $0.split(separator: ":", omittingEmptySubsequences: false)
    }
  }

  /// A user by name or number, with the user's own group if that is known.
  func user(_ word: Word) throws(Diagnostic) -> (id: UInt32, group: UInt32?) {
    if let id = try Self.number(word) { return (id, users.values.first { $0.id == id }?.group) }
    guard let user = users[word.text] else {
      throw Self.unknown(word, "user", Self.passwordFile, among: users.keys.sorted())
    }
    return (user.id, user.group)
  }

  /// A group by name or number.
  func group(_ word: Word) throws(Diagnostic) -> UInt32 {
    if let id = try Self.number(word) { return id }
    guard let id = groups[word.text] else {
      throw Self.unknown(word, "group", Self.groupFile, among: groups.keys.sorted())
    }
    return id
  }

  /// Digits alone are a number; 4294967295 is nobody's.
  private static func number(_ word: Word) throws(Diagnostic) -> UInt32? {
    guard !word.text.isEmpty, word.text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
      return nil
    }
    guard let number = UInt32(word.text), number != .max else {
      throw word.error("no user or group has this number")
    }
    return number
  }

  private static func unknown(
    _ word: Word, _ kind: String, _ file: String, among known: [String]
  ) -> Diagnostic {
    word.error(
      "there is no such \(kind) in \(file)",
      suggestion: Suggestion.near(word.text, among: known)
        ?? "a \(kind) from elsewhere is given as a number")
  }
}

extension Word {
  /// The number of a group that `/etc/group` names so, or a number.
  public func group() throws(Diagnostic) -> UInt32 { try Accounts(.system).group(self) }
}

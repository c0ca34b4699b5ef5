import Configuration

/// The groups of an AIDE configuration as sets of ours.
struct AideAttributes {
  /// `attributes = NAME LIST`, in their order.
  private(set) var definitions: [(name: String, list: String, line: AideLine)] = []
  private(set) var diagnostics: [Diagnostic] = []
  /// By the name that AIDE has for it.
  private var names: [String: String] = [:]

  /// What AIDE has, and has here another name, or nothing that is the same.
  private static let others: [String: (equal: String?, reason: String)] = [
    "I": ("rotating", ""), "a": (nil, "access times are not kept"),
    "b": (nil, "blocks are not kept: size and hash say it"),
    "fstype": (nil, "the kind of file system is not kept"),
    "ANF": (nil, "new files are always told"), "ARF": (nil, "removed files are always told"),
    "compressed": (nil, "what a log is compressed to is another file"),
    "md5": ("sha256", "md5 proves nothing any more: sha256 instead"),
    "sha1": ("sha256", "sha1 proves nothing any more: sha256 instead"),
    "rmd160": ("sha256", "sha256 instead"), "tiger": ("sha256", "sha256 instead"),
    "crc32": ("sha256", "sha256 instead"), "haval": ("sha256", "sha256 instead"),
    "gost": ("sha256", "sha256 instead"), "whirlpool": ("sha512", "sha512 instead"),
    "stribog256": ("sha256", "sha256 instead"), "stribog512": ("sha512", "sha512 instead"),
    "sha512_256": ("sha512", "sha512 instead"), "sha3_256": ("sha256", "sha256 instead"),
    "sha3_512": ("sha512", "sha512 instead"),
  ]

  /// Names that AIDE has too, and means the same by.
  private static let same: Set<String> = [
    "p", "ftype", "i", "l", "n", "u", "g", "s", "m", "c", "S", "acl", "selinux", "xattrs",
    "e2fsattrs", "caps", "sha256", "sha512", "growing", "R", "L", ">", "H", "X", "E",
  ]

  /// Takes `Name = expression`.
  mutating func define(_ name: String, _ expression: [AideWord], _ line: AideLine, at word: Int) {
    let list = list(expression.map(\.text).joined(), line, at: word)
    // Our own names stay ours.
    let own = AttributeSet.isFree(name) && !Self.same.contains(name) ? name : "aide_\(name)"
    names[name] = own
    if let index = definitions.firstIndex(where: { $0.name == own }) {
      definitions.remove(at: index)
      diagnostics.append(line.problem("'\(name)' is defined a second time: this one counts"))
    }
    definitions.append((own, list, line))
  }

  func knows(_ name: String) -> Bool { names[name] != nil }

  /// An expression with our names. What has no equal is left out, and said.
  mutating func list(_ expression: String, _ line: AideLine, at word: Int) -> String {
    var list = ""
    var sign = ""
    var name = ""
    func take(_ next: String) {
      defer {
        name = ""
        sign = next
      }
      guard !name.isEmpty else { return }
      guard let equal = equal(name, line, at: word, isTakenAway: sign == "-") else { return }
      if list.isEmpty {
        // There is nothing to take away from.
        if sign != "-" { list = equal }
      } else {
        list += (sign.isEmpty ? "+" : sign) + equal
      }
    }
    for character in expression {
      if character == "+" || character == "-" {
        take(String(character))
      } else {
        name.append(character)
      }
    }
    take("")
    return list.isEmpty ? "E" : list
  }

  private mutating func equal(
    _ name: String, _ line: AideLine, at word: Int, isTakenAway: Bool
  ) -> String? {
    if let own = names[name] { return own }
    if Self.same.contains(name) { return name }
    guard let other = Self.others[name] else {
      diagnostics.append(line.problem("no equal: '\(name)' is no attribute or group", at: word))
      return nil
    }
    if !other.reason.isEmpty, !isTakenAway {
      diagnostics.append(line.problem("no equal of '\(name)'", at: word, other.reason))
    }
    return other.equal
  }
}

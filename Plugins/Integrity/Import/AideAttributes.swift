import Configuration

/// The groups of an AIDE configuration as sets of ours.
struct AideAttributes {
  /// `attributes = NAME LIST`, in their order.
  private(set) var definitions: [(name: String, list: String, line: AideLine)] = []
  private(set) var diagnostics: [Diagnostic] = []
  /// By the name that AIDE has for it.
  private var names: [String: String] = [:]

  /// Names that AIDE has too, and means the same by.
  private static let same: Set<String> = [
    "p", "ftype", "i", "l", "n", "u", "g", "s", "m", "c", "S", "acl", "selinux", "xattrs",
    "e2fsattrs", "caps", "sha256", "sha512", "growing", "R", "L", ">", "H", "X", "E",
  ]

  /// Takes `Name = expression`.
  mutating func define(_ name: String, _ expression: [AideWord], _ line: AideLine, at word: Int) {
    let list = list(expression.map(\.text).joined(), line, at: word)
    // Our own names stay ours.
    var own = AttributeSet.isFree(name) && !Self.same.contains(name) ? name : "aide_\(name)"
    if names[name] != nil {
      diagnostics.append(
        line.problem("'\(name)' is defined a second time: from here on this one counts"))
    }
    // What was defined by the first one goes on to mean that.
    while definitions.contains(where: { $0.name == own }) { own += "_2" }
    names[name] = own
    definitions.append((own, list, line))
  }

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
    guard let other = AttributeSet.absent[name] else {
      diagnostics.append(line.problem("no equal: '\(name)' is no attribute or group", at: word))
      return nil
    }
    if !other.isSame, !isTakenAway {
      diagnostics.append(
        line.problem(
          "no equal of '\(name)'", at: word,
          other.advice(other.equal.map { "\($0) instead" }, behind: ": ")))
    }
    return other.equal
  }
}

import Configuration

/// Which attributes of a file count.
struct AttributeSet: OptionSet, Hashable, Sendable {
  let rawValue: UInt32

  static let type = Self(rawValue: 1 << 0)
  static let mode = Self(rawValue: 1 << 1)
  static let user = Self(rawValue: 1 << 2)
  static let group = Self(rawValue: 1 << 3)
  static let size = Self(rawValue: 1 << 4)
  static let modified = Self(rawValue: 1 << 5)
  static let changed = Self(rawValue: 1 << 6)
  static let born = Self(rawValue: 1 << 7)
  static let links = Self(rawValue: 1 << 8)
  static let inode = Self(rawValue: 1 << 9)
  static let device = Self(rawValue: 1 << 10)
  /// The device that a device file stands for.
  static let special = Self(rawValue: 1 << 11)
  static let target = Self(rawValue: 1 << 12)
  static let accessControl = Self(rawValue: 1 << 13)
  static let extended = Self(rawValue: 1 << 14)
  static let capabilities = Self(rawValue: 1 << 15)
  static let label = Self(rawValue: 1 << 16)
  static let flags = Self(rawValue: 1 << 17)
  static let sha256 = Self(rawValue: 1 << 18)
  static let sha512 = Self(rawValue: 1 << 19)
  static let blake2b = Self(rawValue: 1 << 20)
  static let verity = Self(rawValue: 1 << 21)
  /// A log: what was there stays as it was, more may follow.
  static let growing = Self(rawValue: 1 << 22)
  /// A log that is renamed and begun anew, which is no change of it.
  static let rotating = Self(rawValue: 1 << 23)

  static let hashes: Self = [.sha256, .sha512, .blake2b]
  /// Who may do what with a file.
  static let permissions: Self = [
    .type, .mode, .user, .group, .links, .inode, .special, .target, .accessControl, .extended,
    .capabilities, .label, .flags,
  ]
  static let full: Self = permissions.union([.size, .modified, .changed, .sha256, .verity])
  static let log: Self = permissions.subtracting(.inode).union([.growing, .rotating])

  /// The attributes by their names, in the order in which reports have them.
  static let names: [(name: String, set: Self)] = [
    ("type", .type), ("mode", .mode), ("user", .user), ("group", .group), ("size", .size),
    ("mtime", .modified), ("ctime", .changed), ("btime", .born), ("links", .links),
    ("inode", .inode), ("device", .device), ("rdev", .special), ("target", .target),
    ("acl", .accessControl), ("xattrs", .extended), ("caps", .capabilities), ("label", .label),
    ("flags", .flags), ("sha256", .sha256), ("sha512", .sha512), ("blake2b", .blake2b),
    ("verity", .verity), ("growing", .growing), ("rotating", .rotating),
  ]

  /// Sets with a name, and the names that aide.conf(5) has for what is the same here.
  static let groups: [(name: String, set: Self)] = [
    ("full", .full), ("permissions", .permissions), ("log", .log),
    ("content", [.type, .target, .sha256]),
    ("p", .mode), ("ftype", .type), ("i", .inode), ("l", .target), ("n", .links), ("u", .user),
    ("g", .group), ("s", .size), ("m", .modified), ("c", .changed), ("S", .growing),
    ("selinux", .label), ("e2fsattrs", .flags),
    ("L", permissions), ("R", permissions.union([.size, .modified, .changed, .sha256])),
    (">", permissions.union(.growing)), ("H", .hashes), ("X", [.accessControl, .extended, .label]),
    ("E", []),
  ]

  /// What aide.conf(5) has and this does not.
  struct Absent: Sendable {
    /// What to write instead; `nil` where nothing comes near.
    var equal: String?
    var reason = ""
    /// Nothing is lost by it: it has another name here.
    var isSame = false
  }

  static let absent: [String: Absent] = [
    "I": Absent(equal: "rotating", isSame: true),
    "a": Absent(reason: "the access time is not kept: looking at a file would change it"),
    "b": Absent(reason: "blocks are not kept: size and hash say it"),
    "fstype": Absent(reason: "the kind of file system is not kept"),
    "ANF": Absent(reason: "new files are always told"),
    "ARF": Absent(reason: "removed files are always told"),
    "compressed": Absent(reason: "what a log is compressed to is another file"),
    "md5": Absent(equal: "sha256", reason: "md5 proves nothing any more"),
    "sha1": Absent(equal: "sha256", reason: "sha1 proves nothing any more"),
    "rmd160": Absent(equal: "sha256"), "tiger": Absent(equal: "sha256"),
    "crc32": Absent(equal: "sha256"), "haval": Absent(equal: "sha256"),
    "gost": Absent(equal: "sha256"), "whirlpool": Absent(equal: "sha512"),
    "stribog256": Absent(equal: "sha256"), "stribog512": Absent(equal: "sha512"),
    "sha512_256": Absent(equal: "sha512"), "sha3_256": Absent(equal: "sha256"),
    "sha3_512": Absent(equal: "sha512"),
  ]

  /// The names of its members with `+` between them.
  var text: String {
    let names = Self.names.filter { contains($0.set) }.map(\.name)
    return names.isEmpty ? "nothing" : names.joined(separator: "+")
  }

  /// Reads `full-ctime+sha512`: names of attributes and of sets, each added or taken away.
  ///
  /// - Parameter defined: sets that the configuration names.
  init(_ word: Word, defined: [String: Self]) throws(Diagnostic) {
    var set = Self()
    var takesAway = false
    var name = ""
    func take(_ next: Bool) throws(Diagnostic) {
      if name.isEmpty { throw word.error("no attribute where one is expected") }
      let named = try Self.named(name, word, defined)
      if takesAway { set.subtract(named) } else { set.formUnion(named) }
      takesAway = next
      name = ""
    }
    for character in word.text {
      if character == "+" || character == "-" {
        try take(character == "-")
      } else {
        name.append(character)
      }
    }
    try take(false)
    self = set
  }

  init(rawValue: UInt32) { self.rawValue = rawValue }

  private static func named(
    _ name: String, _ word: Word, _ defined: [String: Self]
  ) throws(Diagnostic) -> Self {
    if let set = defined[name] { return set }
    if let known = (names + groups).first(where: { $0.name == name }) { return known.set }
    if let absent = absent[name] {
      throw word.error(
        "'\(name)' is no attribute here",
        suggestion: absent.advice(absent.equal.map { "write \($0)" }, behind: "; "))
    }
    let known = names.map(\.name) + groups.map(\.name) + defined.keys.sorted()
    throw word.error(
      "'\(name)' is no attribute",
      suggestion: Suggestion.near(name, among: known)
        ?? "the attributes are in audispatch-integrity(8)")
  }

  /// Whether a name may be given to a set.
  static func isFree(_ name: String) -> Bool {
    !name.isEmpty && name.utf8.allSatisfy { $0 != 0x2b && $0 != 0x2d }
      && !(names + groups).contains { $0.name == name } && absent[name] == nil
  }
}

extension AttributeSet.Absent {
  /// Why it is not there, and what instead.
  func advice(_ instead: String?, behind mark: String) -> String {
    [reason.isEmpty ? nil : reason, instead].compactMap(\.self).joined(separator: mark)
  }
}

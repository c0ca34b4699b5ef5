import AudispatchPlugin

/// The file that an event is about, from its PATH records.
struct FileObject {
  let isComplete: Bool

  /// Takes the first path at or behind the hinted one that is not a parent or unknown.
  func set(_ hint: Int, _ facts: inout EventFacts) {
    guard facts.pathCount > 0 else { return }
    let start = facts.pathCount > hint ? hint : 0
    var chosen = start
    for index in start..<facts.pathCount where !isSkipped(facts.paths[index], facts.text) {
      chosen = index
      break
    }
    let path = facts.paths[chosen]
    var file = EventFacts.File(place: chosen)
    if let name = path.value("name", facts.text) {
      let isNew = Self.isNew(path, facts.text)
      let name = isComplete ? AbsolutePath.of(name, isNew: isNew, &facts) : name
      facts.object = name
      file.path = name
    }
    var (mode, owners, labels): (Text?, EventFacts.File, Bool) = (nil, file, false)
    for entry in path.entries {
      switch entry.key {
      case NameKey("inode"): file.inode = file.inode ?? entry.value
      // go-libaudit takes the number of the device that the file is for the one that it is on.
      case NameKey("dev"): if isComplete { file.device = file.device ?? entry.value }
      case NameKey("rdev"): if !isComplete { file.device = file.device ?? entry.value }
      case NameKey("mode"): mode = mode ?? entry.value
      case NameKey("ouid"): owners.uid = owners.uid ?? entry.value
      case NameKey("ogid"): owners.gid = owners.gid ?? entry.value
      case NameKey("OUID"): owners.ownerName = owners.ownerName ?? entry.value
      case NameKey("OGID"): owners.groupName = owners.groupName ?? entry.value
      default: labels = labels || facts.text.starts(entry.name, with: "obj_")
      }
    }
    facts.file = file
    if let digits = mode {
      guard let mode = facts.text.unsigned(digits, base: 8) else { return }
      facts.file?.mode = Self.addPermissions(mode, to: &facts.text)
      // It also takes the kernel's bits for those of Go, by which everything is a regular file.
      facts.objectType = isComplete ? Self.type(mode) : Self.file
    }
    facts.file?.uid = owners.uid
    facts.file?.gid = owners.gid
    facts.file?.ownerName = owners.ownerName
    facts.file?.groupName = owners.groupName
    guard labels else { return }
    for entry in path.entries where facts.text.starts(entry.name, with: "obj_") {
      var entry = entry
      entry.shortenName(by: 4, facts.text)
      facts.fileLabel.add(entry)
    }
  }

  /// The path that is taken where no table says that the event is about a file: the first with a name
  /// that is not a parent, else the first with a name.
  static func named(in facts: EventFacts) -> Int? {
    let named = (0..<facts.pathCount).filter { facts.paths[$0].value("name", facts.text) != nil }
    return named.first { !FileObject(isComplete: true).isSkipped(facts.paths[$0], facts.text) }
      ?? named.first
  }

  private func isSkipped(_ path: FieldMap, _ text: EventText) -> Bool {
    // RHEL 7 calls it objtype, which go-libaudit does not know.
    guard
      let type = path.value("nametype", text)
        ?? (isComplete ? path.value("objtype", text) : nil)
    else { return false }
    return text.has(type, "PARENT") || text.has(type, "UNKNOWN")
  }

  /// Whether it is a name that the call made.
  static func isNew(_ path: FieldMap, _ text: EventText) -> Bool {
    path.value("nametype", text).map { text.has($0, "CREATE") } ?? false
  }

  static func addPermissions(_ mode: UInt64, to text: inout EventText) -> Text {
    let start = text.bytes.count
    for shift: UInt64 in [9, 6, 3, 0] { text.append(0x30 + UInt8(mode >> shift & 7)) }
    return Text(start..<text.bytes.count)
  }

  static func type(_ mode: UInt64) -> [UInt8] {
    switch mode & 0o170000 {
    case 0o010000: Array("named-pipe".utf8)
    case 0o020000: Array("character-device".utf8)
    case 0o040000: Array("directory".utf8)
    case 0o060000: Array("block-device".utf8)
    case 0o120000: Array("symlink".utf8)
    case 0o140000: Array("socket".utf8)
    default: file
    }
  }

  private static let file = Array("file".utf8)
}

/// A path as it is from the root, where the event tells.
enum AbsolutePath {
  /// - Parameter isNew: it is the name that the call made: of two paths the second.
  /// - Returns: the name itself when it begins at the root, or at a folder that no record names:
  ///   that of a descriptor.
  static func of(_ name: Text, isNew: Bool, _ facts: inout EventFacts) -> Text {
    guard !name.isEmpty, facts.text.bytes[Int(name.start)] != 0x2f,
      !beginsElsewhere(isNew: isNew, facts),
      let folder = facts.data.value("cwd", facts.text) ?? facts.directory, !folder.isEmpty
    else { return name }
    var rest = name
    while facts.text.starts(rest, with: "./") { rest.start += 2 }
    if facts.text.has(rest, ".") || rest.isEmpty { return folder }
    let joined = facts.text.copy(folder.range)
    if facts.text.bytes[Int(folder.end) - 1] != 0x2f { facts.text.append(0x2f) }
    let end = facts.text.copy(rest.range)
    return Text(Int(joined.start)..<Int(end.end))
  }

  /// Whether the call names an open folder by its descriptor, and not the working directory
  /// (`AT_FDCWD`, -100). io_uring does not tell which.
  private static func beginsElsewhere(isNew: Bool, _ facts: EventFacts) -> Bool {
    guard let call = EffectiveCall.name(facts),
      let places = FolderArguments.of(String(decoding: call, as: UTF8.self))
    else { return false }
    guard let digits = facts.data.value(arguments[isNew ? places.second : places.first], facts.text)
    else { return true }
    guard let folder = facts.text.unsigned(digits, base: 16) else { return false }
    return UInt32(truncatingIfNeeded: folder) != 0xffff_ff9c
  }

  private static let arguments = ["a0", "a1", "a2", "a3"].map { Array($0.utf8) }
}

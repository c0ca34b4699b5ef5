import AuditRecord

/// Which files an event is about.
extension EventFacts {
  struct Path {
    /// Empty where the kernel gave none.
    var name: [UInt8]
    var kind: String
    var inode: [UInt8]
  }

  /// The PATH records, parent folders last.
  var paths: [Path] {
    var paths: [Path] = []
    var parents: [Path] = []
    for record in event.records where record.type == .path {
      func text(_ name: String) -> [UInt8] { event.value(name, of: record) ?? [] }
      let nametype = text("nametype")
      let kind = nametype.isEmpty ? text("objtype") : nametype
      let path = Path(
        name: text("name"), kind: String(decoding: kind, as: UTF8.self), inode: text("inode"))
      if path.name.isEmpty, path.inode.isEmpty { continue }
      if path.kind == "PARENT" { parents.append(path) } else { paths.append(path) }
    }
    return paths + parents
  }

  /// Where a relative path starts.
  private enum Start: Equatable {
    case workingDirectory
    /// From the folder open as this descriptor.
    case descriptor(Int32)
    /// It is no path: message queues have names of their own.
    case nowhere
    case unknown
  }

  private func start(ofSecond isSecond: Bool) -> Start {
    guard let name = systemCallName else { return .workingDirectory }
    if name.hasPrefix("mq_") { return .nowhere }
    guard let places = FolderArguments.of(name) else { return .workingDirectory }
    // io_uring does not tell its arguments, nor are those beyond the fourth told.
    guard let value = argument(isSecond ? places.second : places.first) else { return .unknown }
    let descriptor = Int32(truncatingIfNeeded: value)
    return descriptor == -100 ? .workingDirectory : .descriptor(descriptor)
  }

  var workingDirectory: [UInt8]? {
    event.record(.workingDirectory).flatMap { event.value("cwd", of: $0) }
  }

  static func join(_ folder: [UInt8], _ name: [UInt8]) -> [UInt8] {
    if name == [UInt8(ascii: ".")] { return folder }
    let rest = name.starts(with: "./".utf8) ? Array(name.dropFirst(2)) : name
    return folder + (folder.last == UInt8(ascii: "/") ? [] : [UInt8(ascii: "/")]) + rest
  }

  /// A path as far as it is known, safe to show.
  ///
  /// A relative one that starts from a descriptor stands in the folder that its PARENT record
  /// names; but a kernel that does not know that folder's name gives the working directory's.
  func shown(_ path: Path, isSecond: Bool = false) -> String {
    guard !path.name.isEmpty else { return "inode " + SafeText.word(path.inode.prefix(24)) }
    guard path.name.first != UInt8(ascii: "/") else { return SafeText.cut(path.name) }
    let start = start(ofSecond: isSecond)
    if start == .workingDirectory {
      return SafeText.cut(workingDirectory.map { Self.join($0, path.name) } ?? path.name)
    }
    if !path.name.contains(UInt8(ascii: "/")), let folder = parentFolder(ofSecond: isSecond) {
      return SafeText.cut(Self.join(folder, path.name))
    }
    let word = SafeText.cut(path.name)
    if case .descriptor(let number) = start { return "\(word) (below descriptor \(number))" }
    return word
  }

  /// The name of the folder that a plain name stands in, by the PARENT records; `nil` where none
  /// is certain.
  private func parentFolder(ofSecond isSecond: Bool) -> [UInt8]? {
    var parents = paths.filter { $0.kind == "PARENT" }
    // Of a link only the new name's folder is given.
    if parents.count == 1, let name = systemCallName, name == "linkat", !isSecond { return nil }
    if parents.count > 1 {
      // The other path's folder, by what is known of it, is not this one's.
      if start(ofSecond: !isSecond) == .workingDirectory,
        let other = parents.firstIndex(where: { isBelowWorkingDirectory($0.name) })
      {
        parents.remove(at: other)
      }
      parents = [isSecond ? parents[parents.count - 1] : parents[0]]
    }
    guard let folder = parents.first?.name, folder.first == UInt8(ascii: "/"),
      folder != workingDirectory
    else { return nil }
    return folder
  }

  private func isBelowWorkingDirectory(_ name: [UInt8]) -> Bool {
    name == workingDirectory || name.first != UInt8(ascii: "/")
  }

  /// What was done to a path; with its parent folder if that is all there is.
  var path: String? {
    let paths = paths
    guard let first = paths.first(where: { $0.kind == "DELETE" }) ?? paths.first else {
      return nil
    }
    guard first.kind == "PARENT" else { return shown(first) }
    // Of two folders, or one that may be another, none is the one.
    guard first.name.first != UInt8(ascii: "/") || start(ofSecond: false) == .workingDirectory
    else { return nil }
    return first.name.isEmpty ? nil : "something in \(shown(first))"
  }

  /// The whole path of a file of which a security module tells its last part and its inode; `nil`
  /// where no PATH record has both, or it is not certain in which of two folders it lies.
  func path(named name: [UInt8], inode: [UInt8]) -> String? {
    let isOneFolder = start(ofSecond: false) == start(ofSecond: true)
    return paths.first { path in
      path.inode == inode && (isOneFolder || path.name.first == UInt8(ascii: "/"))
        && path.name.split(separator: UInt8(ascii: "/")).last.map(Array.init) == name
    }.map { shown($0) }
  }

  /// Whether the call made the file it opened.
  var createsFile: Bool { paths.contains { $0.kind == "CREATE" } }

  /// Whether two files changed places: both names are taken away, and both are made.
  var exchangesFiles: Bool {
    let kinds = paths.map(\.kind)
    return kinds.count { $0 == "DELETE" } == 2 && kinds.count { $0 == "CREATE" } == 2
  }

  /// `A to B`: the old name and the new one.
  var renamed: String? {
    let paths = paths.filter { $0.kind != "PARENT" }
    let gone = paths.filter { $0.kind == "DELETE" }
    if exchangesFiles { return "\(shown(gone[0])) and \(shown(gone[1], isSecond: true))" }
    guard let new = paths.last(where: { $0.kind == "CREATE" }) else { return path }
    // What was there before under the new name is gone, too.
    guard let old = gone.first(where: { $0.inode == new.inode }) ?? gone.first else { return path }
    return "\(shown(old)) to \(shown(new, isSecond: true))"
  }

  /// `B to A`: the new name and what it leads to.
  var linked: String? {
    let paths = paths.filter { $0.kind != "PARENT" }
    guard let old = paths.first(where: { $0.kind != "CREATE" }) else { return path }
    // The target of a symbolic link is text that need not be a path from here.
    let target = old.kind == "UNKNOWN" ? SafeText.cut(old.name) : shown(old)
    guard let new = paths.last(where: { $0.kind == "CREATE" }) else { return "to \(target)" }
    return "\(shown(new, isSecond: true)) to \(target)"
  }
}

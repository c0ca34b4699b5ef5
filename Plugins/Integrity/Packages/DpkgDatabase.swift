import Glibc
import Linux

/// dpkg's database of the packages below a root folder. Nothing here writes to it, or takes a lock.
///
/// Its sums prove that a file is the one that the package has, not where the package came from; and
/// whoever may write to the database can make them fit.
struct DpkgDatabase: Sendable {
  let root: FilePath
  let folder: FilePath

  /// What tells one state of the database from another without reading it: dpkg replaces the file
  /// `status` whenever something has changed.
  struct Stamp: Equatable, Sendable {
    var inode: UInt64
    var modified: Int64

    var text: String { "\(inode):\(modified)" }
  }

  init(root: String) {
    self.root = FilePath(root)
    folder = FilePath(self.root.bytes + Array("/var/lib/dpkg".utf8))
  }

  private func path(_ name: String) -> String {
    String(decoding: folder.bytes, as: UTF8.self) + "/" + name
  }

  /// `nil` where there is no database.
  var stamp: Stamp? {
    guard let status = try? Files.status(of: path("status")) else { return nil }
    return Stamp(inode: status.inode, modified: status.modified)
  }

  /// Whether dpkg, or what runs it several times for one purpose (apt), is at work.
  var isLocked: Bool {
    ["lock", "lock-frontend"].contains { Files.hasRecordLock(path($0)) }
  }

  /// Complexity: looks at one file for each package.
  func packages(_ stanzas: [PackageName: DpkgText.Stanza]) -> [PackageName: Package] {
    stanzas.reduce(into: [:]) { packages, next in
      packages[next.key] = Package(
        version: next.value.version, state: next.value.state,
        listed: info(next.key, "list").map { (try? Files.status(of: $0))?.modified ?? 0 } ?? 0)
    }
  }

  /// Every package with where its files lie.
  func rows(_ stanzas: [PackageName: DpkgText.Stanza]) -> [PackageTable.Row] {
    let places = places()
    return packages(stanzas).map { name, package in
      PackageTable.Row(name: name, package: package, files: files(of: name, places))
    }
  }

  /// Complexity: reads `status` whole, which is some megabytes: once for each question.
  func stanzas() throws(SystemError) -> [PackageName: DpkgText.Stanza] {
    DpkgText.stanzas(try Transfer.contents(of: path("status"), limit: 256 << 20))
  }

  /// As it is on the disk.
  func list(of name: PackageName) -> [UInt8] { contents(name, "list") }

  func sums(of name: PackageName) -> [(path: [UInt8], sum: [UInt8])] {
    DpkgText.sums(contents(name, "md5sums"))
  }

  func places() -> PackagePlaces {
    let diversions = try? Transfer.contents(of: path("diversions"), limit: 64 << 20)
    return PackagePlaces(
      root: root, aliases: aliases(), diversions: DpkgText.diversions(diversions ?? []))
  }

  /// Where all files of a package lie, a line each: kept for when dpkg has forgotten it, and the
  /// links that led there are gone.
  func files(of name: PackageName, _ places: PackagePlaces) -> [UInt8] {
    Array(
      DpkgText.paths(list(of: name)).map { places.place(of: $0, in: name).bytes }
        .joined(separator: [0x0a]))
  }

  private func contents(_ name: PackageName, _ kind: String) -> [UInt8] {
    info(name, kind).flatMap { try? Transfer.contents(of: $0, limit: 256 << 20) } ?? []
  }

  /// Packages that can be there for several architectures have theirs in the name of the file.
  private func info(_ name: PackageName, _ kind: String) -> String? {
    [
      path("info/\(name.name):\(name.architecture).\(kind)"), path("info/\(name.name).\(kind)"),
    ].first { (try? Files.status(of: $0)) != nil }
  }

  /// Folders directly below the root that are links to others, as `/bin` is: packages have files
  /// by both names.
  private func aliases() -> [[UInt8]: [UInt8]] {
    guard let top = try? Folder(root.bytes), let entries = try? top.entries() else { return [:] }
    return entries.reduce(into: [:]) { aliases, entry in
      guard entry.kind == .symbolicLink, let target = try? top.target(of: entry.name) else {
        return
      }
      aliases[Array(entry.name.bytes)] = FilePath(target).bytes
    }
  }

  /// Folders that no package has files in (Debian Policy 9.1): who watches nothing else needs no
  /// package to explain it.
  private static let bare = [
    "/home", "/media", "/mnt", "/root", "/run", "/srv", "/tmp", "/usr/local", "/var/tmp",
  ].map { FilePath($0) }

  /// Whether a package can have files in any of these.
  func concerns(_ roots: [FilePath]) -> Bool {
    roots.contains { path in
      if root.isWithin(path) { return true }
      guard path.isWithin(root) else { return false }
      let below = root.isRoot ? path : FilePath(path.bytes.dropFirst(root.bytes.count))
      return !Self.bare.contains(where: below.isWithin)
    }
  }
}

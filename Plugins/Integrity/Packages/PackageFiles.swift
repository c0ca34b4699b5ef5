import Linux

/// The files of the packages that have changed, as they were and as they are, by where they lie.
struct PackageFiles: Sendable {
  struct Owner: Equatable, Sendable {
    var package: PackageName
    /// The MD5 of a regular file; `nil` for what dpkg has none of.
    var sum: [UInt8]?
  }

  private let places: PackagePlaces
  private(set) var now: [FilePath: Owner] = [:]
  private(set) var before: [FilePath: PackageName] = [:]

  init(_ places: PackagePlaces) { self.places = places }

  /// Those of some packages.
  ///
  /// - Parameters:
  ///   - stanzas: those of the database, as they are now.
  ///   - earlier: where the files of a package lay before (`DpkgDatabase.files`).
  init(
    of steps: [PackageStep], in dpkg: DpkgDatabase, _ stanzas: [PackageName: DpkgText.Stanza],
    earlier: (PackageName) throws -> [UInt8]
  ) throws {
    self.init(dpkg.places())
    for step in steps {
      if step.before != nil { takeBefore(step.name, try earlier(step.name)) }
      guard step.after != nil else { continue }
      take(
        step.name, DpkgText.paths(dpkg.list(of: step.name)),
        dpkg.sums(of: step.name) + (stanzas[step.name]?.conffiles ?? []))
    }
  }

  mutating func takeBefore(_ package: PackageName, _ files: [UInt8]) {
    for path in DpkgText.paths(files) { before[FilePath(path)] = package }
  }

  mutating func take(
    _ package: PackageName, _ paths: [[UInt8]], _ sums: [(path: [UInt8], sum: [UInt8])]
  ) {
    // Folders are of many packages: one with a sum counts.
    for path in paths {
      let place = places.place(of: path, in: package)
      if now[place]?.sum == nil { now[place] = Owner(package: package) }
    }
    for (path, sum) in sums {
      let place = places.place(of: path, in: package)
      now[place] = Owner(package: package, sum: sum)
      // A package can name the folder by a link that leads there.
      if now[place.folder] == nil { now[place.folder] = Owner(package: package) }
    }
  }
}

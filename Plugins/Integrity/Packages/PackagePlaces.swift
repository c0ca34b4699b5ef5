/// Where the files of packages lie, which is not always where the packages say.
struct PackagePlaces: Sendable {
  private let root: FilePath
  private let aliases: [[UInt8]: [UInt8]]
  private let diversions: [[UInt8]: DpkgText.Diversion]

  init(
    root: FilePath, aliases: [[UInt8]: [UInt8]] = [:], diversions: [DpkgText.Diversion] = []
  ) {
    self.root = root
    self.aliases = aliases
    self.diversions = Dictionary(diversions.map { ($0.path, $0) }) { first, _ in first }
  }

  func place(of path: [UInt8], in package: PackageName) -> FilePath {
    var path = path
    if let diversion = diversions[path], diversion.package != package.name {
      path = diversion.kept
    }
    var parts = path.split(separator: 0x2f).filter { !$0.elementsEqual([0x2e]) }
    if parts.count > 1, let target = aliases[Array(parts[0])] {
      parts = target.split(separator: 0x2f) + parts.dropFirst()
    }
    return FilePath(parts.reduce(into: root.bytes) { $0 += [0x2f] + $1 })
  }
}

import AudispatchPlugin
import Linux

/// Whether the package manager is behind a change, as far as is known.
enum Management: Equatable, Sendable {
  /// It, or a script that it ran.
  case manager
  case somebodyElse
  case unknown

  /// The program that unpacks files, and above all scripts of packages.
  static let program = Array("/usr/bin/dpkg".utf8)

  init(_ attribution: Attribution?, _ witnesses: [Witness]) {
    let deeds = attribution?.candidates.flatMap(\.deeds) ?? []
    let isManaged =
      deeds.contains { deed in
        deed.program.executable == Self.program
          || deed.ancestors.contains { $0.executable == Self.program }
      } || witnesses.contains { $0.manager != nil }
    self = isManaged ? .manager : deeds.isEmpty ? .unknown : .somebodyElse
  }
}

/// What a change is beside what dpkg's database says.
enum Verdict: Equatable, Sendable {
  /// A file with the sum that its package has for it.
  case packaged(PackageName)
  /// A folder or a link, which dpkg has no sum of.
  case listed(PackageName)
  /// Gone with its package.
  case removed(PackageName)
  /// Made by dpkg or by a script that it ran, and not what a package has.
  case byScript
  /// It stands out, with a reason where a package has something to do with it.
  case apart(PackageName?, String?)

  /// What a sum said.
  enum Content: Equatable, Sendable { case equal, different, unread }

  /// - Parameters:
  ///   - owner: the package that has the path now, among those that have changed.
  ///   - former: the one that had it before.
  ///   - content: asked for only where there is a sum and a file.
  init(
    _ change: StateChange, owner: PackageFiles.Owner?, former: PackageName?,
    management: Management, content: () -> Content
  ) {
    let package = owner?.package ?? former
    if management == .somebodyElse {
      self = .apart(package, package == nil ? nil : "not changed by dpkg")
    } else if change.gainsRights {
      // Of modes and capabilities dpkg's database knows nothing.
      self = .apart(package, package == nil ? nil : "dpkg has no record of the rights of a file")
    } else if let after = change.after, let owner {
      switch (owner.sum, after.type) {
      case _ where change.altersRights:
        self = .apart(owner.package, "dpkg has no record of the rights of a file")
      case _ where change.leadsElsewhere && management != .manager:
        self = .apart(owner.package, "dpkg has no record of where a link leads")
      case (nil, .file): self = .apart(owner.package, "dpkg has no sum of it")
      case (nil, _) where change.kind == .added || change.isByEntries || !change.keepsFile:
        self = .listed(owner.package)
      case (_?, .file):
        self =
          switch content() {
          case .equal where !change.keepsFile: .packaged(owner.package)
          case .different: .apart(owner.package, "differs from the sum of its package")
          case .equal: Self.altered(owner.package, management)
          case .unread: .apart(owner.package, "could not be compared with the sum of its package")
          }
      case (_?, _): self = .apart(owner.package, "its package has a file there")
      case (nil, _): self = Self.altered(owner.package, management)
      }
    } else if change.after == nil, let owner {
      self = .apart(owner.package, "its package has it, and it is gone")
    } else if change.after == nil, let former {
      self = .removed(former)
    } else if management == .manager {
      self = .byScript
    } else {
      self = .apart(former, nil)
    }
  }

  /// What dpkg unpacks is a new file each time: the same one with other attributes is not its work.
  private static func altered(_ package: PackageName, _ management: Management) -> Verdict {
    management == .manager ? .byScript : .apart(package, "altered, and not unpacked anew")
  }
}

extension StateChange {
  /// Whether another file is in its place with other rights: equal content says nothing of them.
  fileprivate var altersRights: Bool {
    kind == .changed && !keepsFile
      && !attributes.isDisjoint(with: [.mode, .user, .group, .accessControl])
  }

  /// Whether another link is in its place that leads elsewhere.
  fileprivate var leadsElsewhere: Bool {
    kind == .changed && !keepsFile && attributes.contains(.target)
  }

  /// Whether it is the same file as before.
  fileprivate var keepsFile: Bool {
    guard let before = before?.facts, let after = after?.facts else { return false }
    return before.inode == after.inode && before.device == after.device && before.born == after.born
  }
}

/// What is said of a package beside a change that stands out.
struct PackageNote: Equatable, Sendable {
  var package: PackageName
  var version: String?
  var reason: String

  var text: String { "\(package.name)\(version.map { " \($0)" } ?? ""): \(reason)" }
}

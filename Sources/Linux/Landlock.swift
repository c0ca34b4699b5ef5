import CAudispatch
import Glibc

/// What a process may do with files, by path, whoever it runs as (landlock(7)).
public enum Landlock {
  /// Which version of landlock the kernel has; 0: none, or it is off.
  public static var version: Int { Int(ad_landlock_version()) }

  /// Rights to files and folders; the bits are the kernel's.
  public struct Rights: OptionSet, Equatable, Sendable {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    public static let execute = Rights(rawValue: 1 << 0)
    public static let writeFile = Rights(rawValue: 1 << 1)
    public static let readFile = Rights(rawValue: 1 << 2)
    public static let readFolder = Rights(rawValue: 1 << 3)
    static let makeDevices = Rights(rawValue: 1 << 6 | 1 << 11)
    /// Linking and renaming from one folder to another; before version 2 always forbidden.
    public static let refer = Rights(rawValue: 1 << 13)
    public static let truncate = Rights(rawValue: 1 << 14)
    public static let deviceControl = Rights(rawValue: 1 << 15)

    /// Everything that a version knows to forbid.
    public static func handled(by version: Int) -> Rights {
      guard version > 0 else { return [] }
      var rights = Rights(rawValue: 1 << 13 - 1)
      if version >= 2 { rights.insert(.refer) }
      if version >= 3 { rights.insert(.truncate) }
      if version >= 5 { rights.insert(.deviceControl) }
      return rights
    }

    public static let reading: Rights = [.execute, .readFile, .readFolder]

    /// All but making devices.
    public static func writing(_ version: Int) -> Rights {
      handled(by: version).subtracting(makeDevices)
    }
  }

  /// What a program needs to start, beside itself, and may always read: the libraries.
  static let basis = [
    "/lib", "/lib32", "/lib64", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/local/lib",
    "/etc/ld.so.cache", "/etc/ld.so.preload",
  ]

  /// What of `read_paths` and `write_paths` a version of landlock cannot do, as a clause;
  /// `nil`: nothing.
  public static func shortcoming(of version: Int) -> String? {
    switch version {
    case ...0: "this kernel has no landlock, or it is off: not applied"
    case 1...2: "this kernel's landlock is version \(version): truncating a file is not forbidden"
    default: nil
    }
  }

  /// Has the calling thread, and those that it starts, open and change no file by path any more. Does
  /// nothing where the kernel has no landlock. Nothing gives it back.
  public static func denyAllPaths() throws(SystemError) {
    let version = Self.version
    guard version > 0 else { return }
    let ruleset = try ruleset(handling: .handled(by: version), scoped: scoped(version))
    guard ad_landlock_restrict(ruleset.number) == 0 else {
      throw SystemError("give up", "the file system", .current)
    }
  }

  /// Has the calling thread, and those that it starts, make, change and remove files below these paths
  /// alone, and read and execute as before. Does nothing where the kernel has no landlock; nothing
  /// gives it back. Not kept from it are modes, owners, times and attributes of files.
  ///
  /// The kernel lets no thread that is confined by landlock look into processes that are not: what
  /// they have open and execute is for others to look at.
  public static func restrictWriting(to paths: [String]) throws(SystemError) {
    let version = Self.version
    guard version > 0 else { return }
    let all = Rights.handled(by: version).subtracting(.reading)
    let ruleset = try ruleset(handling: all, scoped: 0)
    let rights = Rights.writing(version).intersection(all).rawValue
    for path in paths {
      guard unsafe ad_landlock_allow(ruleset.number, path, rights) == 0 else {
        throw SystemError("allow", path, .current)
      }
    }
    guard ad_landlock_restrict(ruleset.number) == 0 else {
      throw SystemError("restrict", "what it may write", .current)
    }
  }

  /// What a ruleset has to allow below which path so that a program may read and write below these
  /// paths, and run. Opens nothing.
  static func rules(
    for program: String, reading: [String], writing: [String], version: Int
  ) -> [(path: String, rights: UInt64)] {
    let all =
      ([program] + basis + reading).map { ($0, Rights.reading) }
      + (["/dev/null"] + writing).map { ($0, Rights.writing(version)) }
    return all.map { ($0, $1.intersection(.handled(by: version)).rawValue) }
  }

  /// What a ruleset keeps from a program beside files. From version 6 on it signals nobody but its own
  /// children and theirs.
  static func scoped(_ version: Int) -> UInt64 { version >= 6 ? 1 << 1 : 0 }

  /// A ruleset that allows a program to read and to write below these paths, and to run.
  ///
  /// Paths that are not there are left out. Opens them all, so it waits where they do.
  static func ruleset(
    for program: String, reading: [String], writing: [String], version: Int
  ) throws(SystemError) -> Descriptor {
    let ruleset = try ruleset(handling: .handled(by: version), scoped: scoped(version))
    let rules = rules(for: program, reading: reading, writing: writing, version: version)
    for (path, rights) in rules {
      if unsafe ad_landlock_allow(ruleset.number, path, rights) != 0, errno != ENOENT {
        throw SystemError("allow", path, .current)
      }
    }
    return ruleset
  }

  /// One that forbids these rights to files, and allows nothing yet.
  private static func ruleset(
    handling rights: Rights, scoped: UInt64
  ) throws(SystemError) -> Descriptor {
    let number = ad_landlock_ruleset(rights.rawValue, scoped)
    guard number >= 0 else { throw SystemError("create", "a landlock ruleset", .current) }
    return Descriptor(owning: number)
  }
}

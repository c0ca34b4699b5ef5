import CAudispatch
import Glibc

/// What this program was called with.
public enum ProgramArguments {
  /// The program's name first. From the C library: the standard library's `CommandLine` reads
  /// `/proc/self/cmdline`, and has none where there is no `/proc`.
  public static let all: [String] = {
    var next = unsafe ad_arguments()
    var arguments: [String] = []
    while let argument = unsafe next.pointee {
      arguments.append(unsafe String(cString: argument))
      unsafe next += 1
    }
    return arguments
  }()

  /// The path that was executed, as it was given to the system; it may be a link, or relative. The
  /// value is `AT_EXECFN` of getauxval(3).
  public static var executable: String { unsafe String(cString: ad_executable()) }

  /// The environment as it is now: `NAME=VALUE` each.
  public static var environment: [String] {
    var entries: [String] = []
    var next = unsafe environ
    while let entry = unsafe next.pointee {
      entries.append(unsafe String(cString: entry))
      unsafe next += 1
    }
    return entries
  }
}

import Glibc
import Linux
import SecureChannel

/// The command line, and what has to be there before the first connection.
enum Start {
  static let usage = """
    Usage: audispatch-receive [OPTION]
    Take audit records of other hosts for audispatchd, which starts it where a
    source is tcp:ADDRESS:PORT or tls:ADDRESS:PORT. By itself it does nothing.

      -h, --help             print this
      -V, --version          print the version

    """

  /// Runs until audispatchd ends it; the exit status.
  static func run(_ arguments: [String]) -> Int32 {
    // Plugins may be nobody's, too, and are not to see what it has.
    keepMemoryPrivate()
    switch Array(arguments.dropFirst()) {
    case ["--help"], ["-h"]: return print(usage)
    case ["--version"], ["-V"]: return print("audispatch-receive \(Release.version)\n")
    case []: break
    case let others:
      say(
        "error: unexpected argument '\(printable(others[0], limit: 256))': it takes none but "
          + "--help and --version")
      return 2
    }
    guard DescriptorKind.isSocket(0) else {
      say("error: only audispatchd starts it: standard input is none of its sockets")
      return 2
    }
    Signals.ignoreFailedWrites()
    // OpenSSL reads its settings now: later there are no files any more.
    _ = try? TLSServer()
    do throws(SystemError) {
      try Landlock.denyAllPaths()
      return try Receiver(Link(PacketChannel(owning: Descriptor(owning: 0)))).run()
    } catch {
      say("error: \(error)")
      return 1
    }
  }

  /// audispatchd puts our name in front of it.
  static func say(_ text: String) {
    try? Transfer.writeAll(2, Array("\(text)\n".utf8))
  }

  private static func print(_ text: String) -> Int32 {
    do throws(Errno) {
      try Transfer.writeAll(1, Array(text.utf8))
    } catch { return 1 }
    return 0
  }
}

import Glibc
import Linux

/// Who asked for a change of the baseline, as the kernel knows it. Unknown stays unknown: a login
/// uid that is not set, or cannot be read, is `nil` and never 0.
struct Actor: Equatable, Sendable {
  var login: UInt32?
  var session: UInt32?
  var user: UInt32
  var terminal: String?

  /// Of this process: `/proc/self/loginuid`, `sessionid`, the uid and the terminal.
  static var current: Actor {
    Actor(
      login: number("/proc/self/loginuid"), session: number("/proc/self/sessionid"),
      user: getuid(),
      terminal: (try? Files.resolved("/proc/self/fd/0")).flatMap {
        $0.hasPrefix("/dev/pts/") || $0.hasPrefix("/dev/tty") ? String($0.dropFirst(5)) : nil
      })
  }

  /// 4294967295 stands for none (login.defs, pam_loginuid(8)).
  private static func number(_ path: String) -> UInt32? {
    guard let bytes = try? Transfer.contents(of: path, limit: 32) else { return nil }
    return UInt32(String(decoding: bytes, as: UTF8.self)).flatMap { $0 == .max ? nil : $0 }
  }

  /// `uid 1000 in session 3 as uid 0 on pts/1`.
  var shown: String {
    var text = login.map { "login uid \($0)" } ?? "login uid unknown"
    if let session { text += " in session \(session)" }
    text += " as uid \(user)"
    if let terminal { text += " on \(terminal)" }
    return text
  }
}

import Glibc
import Linux

/// Who was seen at a file by its watch, and not by audit: the process, and what /proc told of it as
/// long as it lived.
struct Witness: Hashable, Sendable {
  var pid: UInt32
  var login: Login
  var session: UInt32?
  var executable: [UInt8]?

  /// What /proc says now. A process that is gone is a number alone.
  init(pid: UInt32) {
    self.pid = pid
    login = Login(number: Self.number("/proc/\(pid)/loginuid"))
    session = Self.number("/proc/\(pid)/sessionid").flatMap { $0 == .max ? nil : $0 }
    executable = (try? Files.resolved("/proc/\(pid)/exe")).map { Array($0.utf8) }
  }

  init(pid: UInt32, login: Login, session: UInt32?) {
    self.pid = pid
    self.login = login
    self.session = session
  }

  private static func number(_ path: String) -> UInt32? {
    (try? Transfer.contents(of: path, limit: 32)).flatMap {
      UInt32(String(decoding: $0, as: UTF8.self))
    }
  }
}

/// What the watch says beside an attribution.
enum Testimony: String, Sendable {
  /// It saw nobody but those whom audit names.
  case agrees
  /// It saw nobody, or could not know who it was.
  case silent
  /// It saw somebody of whom audit tells nothing.
  case disagrees

  /// Whoever closes a file last need not have written it, but has got it from one who opened it, and
  /// is of the same login and session.
  init(of witnesses: Set<Witness>, on attribution: Attribution) {
    var saw = false
    for witness in witnesses {
      let isNamed = attribution.candidates.contains { candidate in
        candidate.deeds.contains { $0.program.pid == witness.pid }
          || witness.login != .unknown && candidate.author.login == witness.login
            && candidate.author.session == witness.session
      }
      if isNamed {
        saw = true
      } else if witness.login != .unknown {
        self = .disagrees
        return
      }
    }
    self = saw ? .agrees : .silent
  }
}

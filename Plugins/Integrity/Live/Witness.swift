import Glibc
import Linux

/// Who was seen at a file by its watch, and not by audit: the process, and what /proc told of it as
/// long as it lived.
struct Witness: Hashable, Sendable {
  var pid: UInt32
  var login: Login
  var session: UInt32?
  var executable: [UInt8]?
  /// dpkg, if it is the process or one above it, and what that was started by.
  var manager: [Deed.Program]?

  /// What /proc says now. A process that is gone is a number alone.
  init(pid: UInt32) {
    self.pid = pid
    login = Login(number: Self.number("/proc/\(pid)/loginuid"))
    session = Self.number("/proc/\(pid)/sessionid").flatMap { $0 == .max ? nil : $0 }
    executable = Self.executable(of: pid)
    manager = Self.manager(of: pid, executable)
  }

  /// How far up it is looked for dpkg, and how many programs are named from there on.
  private static let (highest, mostNamed) = (16, 4)

  /// Ends where a process is gone: then nothing is known of it.
  private static func manager(of pid: UInt32, _ executable: [UInt8]?) -> [Deed.Program]? {
    var (pid, own) = (pid, executable)
    for _ in 0..<highest {
      if own == Management.program { return programs(from: pid) }
      guard let above = parent(of: pid), above > 1 else { return nil }
      pid = above
      own = Self.executable(of: pid)
    }
    return nil
  }

  private static func programs(from first: UInt32) -> [Deed.Program] {
    var programs: [Deed.Program] = []
    var next: UInt32? = first
    while let pid = next, pid > 1, programs.count < mostNamed {
      let line = (try? Transfer.contents(of: "/proc/\(pid)/cmdline", limit: 4096)) ?? []
      programs.append(
        Deed.Program(
          pid: pid, executable: executable(of: pid),
          arguments: line.split(separator: 0).map { Array($0) }))
      next = parent(of: pid)
    }
    return programs
  }

  private static func executable(of pid: UInt32) -> [UInt8]? {
    (try? Files.resolved("/proc/\(pid)/exe")).map { Array($0.utf8) }
  }

  /// The fourth field of `/proc/PID/stat`, counted from the bracket behind the name.
  private static func parent(of pid: UInt32) -> UInt32? {
    guard let bytes = try? Transfer.contents(of: "/proc/\(pid)/stat", limit: 4096),
      let bracket = bytes.lastIndex(of: UInt8(ascii: ")"))
    else { return nil }
    let fields = bytes[(bracket + 1)...].split(separator: 0x20)
    return fields.count > 1 ? UInt32(String(decoding: fields[1], as: UTF8.self)) : nil
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
  ///
  /// - Parameter hasRecords: whether any audit record has come: without, there is nothing to compare with.
  init(of witnesses: Set<Witness>, on attribution: Attribution, hasRecords: Bool = true) {
    guard hasRecords else {
      self = .silent
      return
    }
    var saw = false
    for witness in witnesses {
      let isNamed = attribution.candidates.contains { candidate in
        // One of whom nothing but the number is known any more.
        witness.login == .unknown
          ? candidate.deeds.contains { $0.program.pid == witness.pid }
          : candidate.author.login == witness.login && candidate.author.session == witness.session
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

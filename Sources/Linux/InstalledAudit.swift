import Glibc
import Synchronization

/// How the auditd of this host frames binary records.
public enum InstalledAudit {
  /// 16 + size from version 4.1.1 on. Asks `auditctl -v` once, for five seconds at most; without an
  /// answer, as the newest do.
  public static let writesCompactRecords: Bool = {
    defer { hasAnswer.store(true, ordering: .releasing) }
    guard let version = version(within: .seconds(5)) else { return true }
    return !version.lexicographicallyPrecedes([4, 1, 1])
  }()

  private static let hasAnswer = Atomic<Bool>(false)
  private static let wasAsked = Atomic<Bool>(false)

  /// Whether `writesCompactRecords` is there without waiting.
  public static var isKnown: Bool { hasAnswer.load(ordering: .acquiring) }

  /// Has another thread ask, so that `isKnown` becomes true; once, however often it is called.
  public static func beginAsking() {
    guard !wasAsked.exchange(true, ordering: .relaxed) else { return }
    do throws(SystemError) { try WorkThread(Question()).detach() } catch {
      // No thread is to be had: then here it is asked.
      _ = writesCompactRecords
    }
  }

  private final class Question: ThreadWork {
    func run() { _ = InstalledAudit.writesCompactRecords }
  }

  /// As `auditctl -v` says it, asked each time, for five seconds at most; `nil` without one.
  public static var version: [Int]? { version(within: .seconds(5)) }

  private static func version(within limit: Duration) -> [Int]? {
    do {
      let null = try Descriptor.open("/dev/null", O_RDWR)
      let pipe = try Pipe()
      let output = pipe.reading
      let end = pipe.writing
      let child = try ChildProcess(
        path: "/sbin/auditctl", arguments: ["-v"], environment: ["LC_ALL=C"], input: null.number,
        output: end.number, error: null.number)
      close(end.release())
      output.setNonblocking(true)
      let latest = Moment.now + limit
      let text = read(output.number, until: latest)
      while child.reap() == nil {
        if Moment.now >= latest { child.signal(SIGKILL) }
        // One that hangs in the kernel is nobody's to wait for.
        if Moment.now >= latest + .milliseconds(100) { return nil }
        Pause.nanoseconds(200_000)
      }
      // "auditctl version 3.0.9"
      let word = text.split(whereSeparator: \.isWhitespace).last ?? ""
      let numbers = word.split(separator: ".").compactMap { Int($0) }
      return numbers.count >= 2 ? numbers : nil
    } catch {
      return nil
    }
  }

  /// What comes until the end of it, or until then.
  private static func read(_ fd: Int32, until latest: Moment) -> String {
    var bytes = [UInt8](repeating: 0, count: 256)
    var text = ""
    while Moment.now < latest {
      guard Poll.readable([fd], within: latest - Moment.now)[0] else { return text }
      let result = unsafe bytes.withUnsafeMutableBytes { unsafe Transfer.read(fd, into: $0) }
      switch result {
      case .bytes(let count): text += String(decoding: bytes[..<count], as: UTF8.self)
      case .wouldBlock: continue
      case .end, .failed: return text
      }
    }
    return text
  }
}

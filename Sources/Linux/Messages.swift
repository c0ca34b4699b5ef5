import CAudispatch
import Glibc

/// How grave a message is; the numbers are syslog's.
public enum Severity: Int, Sendable {
  case alert = 1
  case error = 3
  case warning = 4
  case notice = 5
  case info = 6
}

/// Where the messages of a program go: to the terminal, file, pipe or journal on standard error,
/// or, when that is /dev/null, to `/dev/log`. Never blocks: what cannot be written is counted.
public struct Messages: Sendable {
  private enum Sink: Sendable { case standardError, systemLog }

  private let sink: Sink
  private let prefix: String
  /// Messages that nothing took.
  public private(set) var lost = 0

  /// - Parameter program: the name in front of each message.
  public init(program: String) {
    var error = stat()
    var null = stat()
    let hasError = unsafe fstat(2, &error) == 0
    let isNull =
      unsafe stat("/dev/null", &null) == 0 && error.st_rdev == null.st_rdev
      && error.st_mode & S_IFMT == S_IFCHR
    sink = hasError && !isNull ? .standardError : .systemLog
    prefix = program
  }

  public mutating func write(_ severity: Severity, _ text: String) {
    switch sink {
    case .standardError:
      let isJournal = unsafe getenv("JOURNAL_STREAM") != nil
      let line = (isJournal ? "<\(severity.rawValue)>" : "\(prefix): ") + text + "\n"
      var waiting = pollfd(fd: 2, events: Int16(POLLOUT), revents: 0)
      guard unsafe poll(&waiting, 1, 0) == 1, waiting.revents & Int16(POLLOUT) != 0 else {
        lost += 1
        return
      }
      // One write of at most PIPE_BUF: it does not block once the pipe is writable.
      let bytes = Array(line.utf8.prefix(4095))
      if case .failed = unsafe bytes.withUnsafeBytes({ unsafe Transfer.write(2, $0) }) { lost += 1 }
    case .systemLog:
      // LOG_DAEMON is facility 3.
      let datagram = Array("<\(3 << 3 | severity.rawValue)>\(prefix)[\(getpid())]: \(text)".utf8)
      let sent = unsafe datagram.withUnsafeBytes {
        unsafe ad_syslog_send("/dev/log", $0.baseAddress!, $0.count)
      }
      if sent != 0 { lost += 1 }
    }
  }
}

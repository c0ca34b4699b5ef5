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
/// or, when that is /dev/null, to `/dev/log`. What cannot be written is counted.
public struct Messages: Sendable {
  private enum Sink: Sendable {
    /// The journal's socket, most likely.
    case socket
    /// Where a write may wait: for a terminal that was stopped, a disk, or who reads a pipe.
    case standardError
    case systemLog
  }

  private let sink: Sink
  private let prefix: String
  private let neverWaits: Bool
  private var dropped = 0
  /// Messages that nothing took.
  public var lost: Int { dropped + (usesThread ? LineWriter.standardError.lost : 0) }

  private var usesThread: Bool { if case .standardError = sink { neverWaits } else { false } }

  /// - Parameters:
  ///   - program: the name in front of each message.
  ///   - neverWaits: another thread writes where that may wait, from the first message on. Then
  ///     `finish` has to be called before the process ends. A process that may be copied has to do
  ///     without.
  public init(program: String, neverWaits: Bool = false) {
    sink =
      DescriptorKind.isNowhere(2)
      ? .systemLog : DescriptorKind.isSocket(2) ? .socket : .standardError
    prefix = program
    self.neverWaits = neverWaits
  }

  public mutating func write(_ severity: Severity, _ text: String) {
    switch sink {
    case .socket, .standardError:
      let isJournal = Environment.value("JOURNAL_STREAM") != nil
      let line = (isJournal ? "<\(severity.rawValue)>" : "\(prefix): ") + text + "\n"
      if !put(Array(line.utf8)) { dropped += 1 }
    case .systemLog:
      // LOG_DAEMON is facility 3.
      let datagram = Array("<\(3 << 3 | severity.rawValue)>\(prefix)[\(getpid())]: \(text)".utf8)
      let sent = unsafe datagram.withUnsafeBytes {
        unsafe ad_syslog_send("/dev/log", $0.baseAddress!, $0.count)
      }
      if sent != 0 { dropped += 1 }
    }
  }

  private func put(_ line: [UInt8]) -> Bool {
    if usesThread {
      let fate = LineWriter.standardError.put(line)
      if fate != .noThread { return fate == .taken }
    }
    if sink == .socket {
      let result = unsafe line.withUnsafeBytes { unsafe UnixSocket.send(2, $0) }
      return result == .bytes(line.count)
    }
    guard Poll.wait(2, for: .write, milliseconds: 0) else { return false }
    // One write of at most PIPE_BUF: it does not block once the pipe is writable.
    let bytes = line.prefix(4095)
    let result = unsafe bytes.withUnsafeBytes { unsafe Transfer.write(2, $0) }
    if case .failed = result { return false }
    return true
  }

  /// Waits until what was said is written, for a second at most.
  public func finish() { if usesThread { LineWriter.standardError.finish(within: .seconds(1)) } }
}

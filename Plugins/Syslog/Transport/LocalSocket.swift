import AudispatchPlugin
import Linux
import SyslogSending

/// A datagram socket of this host, or a stream where there is one in its place, that is connected
/// again when its owner was restarted.
struct LocalSocket: ~Copyable {
  private let path: String
  private let retryDelay: Duration
  private var socket: DatagramSocket?
  private let poller: Poller?
  private var isBlocked = false
  /// When to try to connect again.
  private var retryAt: Duration?
  private var outage: Outage?
  private var reports: [(Severity, String)] = []
  private(set) var reconnects = 0

  init(path: String, retryDelay: Duration) {
    self.path = path
    self.retryDelay = retryDelay
    poller = try? Poller()
  }

  /// Readable when the socket takes more.
  var watched: Int32? {
    guard isBlocked, retryAt == nil else { return nil }
    switch poller {
    case .some(let poller): return poller.number
    case .none: return nil
    }
  }

  /// When to try again.
  var deadline: Duration? {
    if let retryAt { return retryAt }
    // Without a poller, and in case that a wake-up gets lost.
    return isBlocked ? MonotonicTime.now + .milliseconds(500) : nil
  }

  mutating func takeReports() -> [(Severity, String)] {
    defer { reports = [] }
    return reports
  }

  /// Sends lines; anything but `.bytes` and `EMSGSIZE` means to come again when `watched` or
  /// `deadline` says so.
  mutating func send(
    _ head: [UInt8], _ lines: ArraySlice<DatagramSocket.Line>, of bytes: [UInt8]
  ) -> WriteResult {
    attempt { $0.send(head, lines, of: bytes) }
  }

  private mutating func attempt(_ send: (borrowing DatagramSocket) -> WriteResult) -> WriteResult {
    for isSecond in [false, true] {
      guard connect() else { return .wouldBlock }
      let result =
        switch socket {
        case .some(let socket): send(socket)
        case .none: WriteResult.wouldBlock
        }
      switch result {
      case .bytes:
        isBlocked = false
        return result
      case .wouldBlock:
        isBlocked = true
        return result
      case .failed(.messageTooLong): return result
      case .failed(.noBuffers):
        // The kernel's memory, not the receiver.
        retryAt = MonotonicTime.now + .milliseconds(10)
        return .wouldBlock
      case .failed(let errno):
        // The receiver is gone, or another one has taken its place.
        drop()
        if isSecond { fail(SystemError("send to", path, errno)) }
      }
    }
    return .wouldBlock
  }

  private mutating func connect() -> Bool {
    if let retryAt {
      guard retryAt <= MonotonicTime.now else { return false }
      self.retryAt = nil
    }
    switch socket {
    case .some: return true
    case .none: break
    }
    do throws(SystemError) {
      let new = try DatagramSocket(path: path, patience: 5, orStream: true)
      switch poller {
      case .some(let poller): _ = poller.add(new.number, 0, .write)
      case .none: break
      }
      socket = consume new
    } catch {
      fail(error)
      return false
    }
    if let outage {
      let time = outage.lasts(at: MonotonicTime.now)
      reports.append((.notice, "\(path) takes messages again, after \(time)"))
      self.outage = nil
    }
    return true
  }

  private mutating func fail(_ error: SystemError) {
    let now = MonotonicTime.now
    if outage == nil {
      outage = Outage(at: now, [0: error.description])
      reports.append((.warning, "\(error); trying again, nothing is dropped here"))
    } else if outage?.isNews(error.description, of: 0, at: now) == true {
      reports.append((.warning, "\(error); trying again"))
    } else if outage?.isToBeRepeated(at: now) == true, let time = outage?.lasts(at: now) {
      reports.append((.error, "\(path) takes no messages for \(time): \(error)"))
    }
    retryAt = now + retryDelay
  }

  private mutating func drop() {
    isBlocked = false
    reconnects += 1
    // Closing takes it out of the poller.
    socket = nil
  }

  private var number: Int32? {
    switch socket {
    case .some(let socket): socket.number
    case .none: nil
    }
  }

  /// Waits until the socket may take more.
  func wait(milliseconds: Int32) {
    if let number, retryAt == nil {
      _ = Poll.wait(number, for: .write, milliseconds: milliseconds)
    } else {
      Pause.nanoseconds(Int64(milliseconds) * 1_000_000)
    }
  }
}

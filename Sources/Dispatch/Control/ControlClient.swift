import Journal
import Linux

/// One who is connected to the control socket: it asks once, and gets an answer, or all that comes.
final class ControlClient {
  typealias ID = Ordinal<ControlClient>

  private static let longestRequest = 4096

  /// What came of reading from it.
  enum Said {
    case nothing
    case request(String)
    /// It says nothing more, or what is no request.
    case nothingMore
  }

  /// What came of writing to it.
  enum Written {
    /// It has all that there is for it now.
    case all
    case blocked
    /// It has its answer, or is gone.
    case finished
  }

  let id: ID
  /// What it asks is answered with a refusal.
  let isRefused: Bool
  private let descriptor: Descriptor
  private let connected: Moment
  private var request: [UInt8] = []
  private var answer: [UInt8] = []
  /// A listener's queue: `tail` is a subscriber like any other.
  private var subscription: Subscription?
  private var isBlocked = false
  /// It has asked, and what it is told takes a moment.
  private(set) var awaitsAnswer = false

  init(id: ID, _ descriptor: consuming Descriptor, isRefused: Bool, now: Moment) {
    self.id = id
    self.isRefused = isRefused
    self.descriptor = descriptor
    connected = now
  }

  var number: Int32 { descriptor.number }
  var listens: Bool { subscription != nil }
  /// It has not said yet what it wants.
  var isSilent: Bool { !listens && !awaitsAnswer }
  func isSilent(since limit: Duration, _ now: Moment) -> Bool {
    isSilent && now - connected > limit
  }

  // MARK: Its request

  func read() -> Said {
    var chunk = [UInt8](repeating: 0, count: 1024)
    let result = unsafe chunk.withUnsafeMutableBytes {
      unsafe Transfer.read(number, into: $0)
    }
    switch result {
    case .bytes(let count):
      guard answer.isEmpty, isSilent else { return .nothing }
      request += chunk[..<count]
      if let end = request.firstIndex(of: 0x0a) {
        return .request(String(decoding: request[..<end], as: UTF8.self))
      }
      return request.count > Self.longestRequest ? .nothingMore : .nothing
    case .wouldBlock: return .nothing
    case .end, .failed: return .nothingMore
    }
  }

  // MARK: Its answer

  /// What it asked for takes a moment.
  func waits() { awaitsAnswer = true }

  func answer(_ text: String) {
    awaitsAnswer = false
    answer = Array(text.utf8)
  }

  /// It gets all that comes from now on.
  func listen(node: String?, _ journal: Journal) {
    subscription = Subscription(
      name: "tail", limits: .init(records: 2000, bytes: 4 << 20, whenFull: .dropNewest),
      encoding: .string, announcesGaps: true, node: node, journal: journal)
    answer("ok\n")
  }

  func feed(_ batch: Journal.Batch, _ journal: Journal, wall: Int64) {
    subscription?.admit(batch, journal: journal, now: wall)
  }

  func unblock() { isBlocked = false }

  /// Writes what it takes.
  func write(_ journal: Journal, scratch: inout [UInt8]) -> Written {
    guard !isBlocked else { return .blocked }
    while !answer.isEmpty {
      let result = unsafe answer.withUnsafeBytes { unsafe UnixSocket.send(number, $0) }
      guard case .bytes(let count) = result else { return stopped(result) }
      answer.removeFirst(count)
    }
    guard listens else { return .finished }
    while true {
      let result = unsafe subscription?.withNextBytes(
        journal: journal, now: WallClock.milliseconds, scratch: &scratch
      ) { unsafe UnixSocket.send(number, $0) }
      guard let result else { return .all }
      guard case .bytes(let count) = result else { return stopped(result) }
      subscription?.wrote(count)
      subscription?.setUnread(0)
    }
  }

  private func stopped(_ result: WriteResult) -> Written {
    guard case .wouldBlock = result else { return .finished }
    isBlocked = true
    return .blocked
  }
}

import AudispatchPlugin
import Linux

/// A program that has connected: its queue, and what is on its way into its socket.
final class Client {
  enum State { case open, gone }

  /// Binary records are made so many bytes at a time.
  private static let encodedBytes = 64 << 10

  let socket: Descriptor
  /// What messages call it.
  let name: String
  var queue: ClientQueue
  /// Whether it is waited for until the socket takes more.
  var isAwaited = false
  /// When it was last said that it is slow, and how much had been dropped then.
  var nextWord: Duration?
  var said = 0
  /// Bytes that its socket did not take yet: the rest of a line, or binary records.
  private var encoded: [UInt8] = []
  private var sent = 0

  init(_ socket: consuming Descriptor, name: String, queue: ClientQueue) {
    self.socket = socket
    self.name = name
    self.queue = queue
  }

  var isIdle: Bool { queue.isEmpty && sent == encoded.count }

  /// Sends what the socket takes now.
  ///
  /// - Parameter fixed: binary records of which kind; `nil` for lines.
  func send(fixed: Bool?) -> State {
    while true {
      if sent == encoded.count {
        encoded.removeAll(keepingCapacity: true)
        sent = 0
        if queue.isEmpty { return .open }
        if let fixed {
          encode(fixed)
        } else {
          switch sendLines() {
          case .taken: continue
          case .full: return .open
          case .gone: return .gone
          }
        }
      }
      let result = unsafe encoded.withUnsafeBytes {
        unsafe UnixSocket.send(socket.number, UnsafeRawBufferPointer(rebasing: $0[sent...]))
      }
      switch result {
      case .bytes(let count): sent += count
      case .wouldBlock: return .open
      case .failed: return .gone
      }
    }
  }

  private enum Sending { case taken, full, gone }

  /// Sends the lines of the front piece from where they are; the rest of a line that was begun is
  /// copied, so that its record can leave the queue.
  private func sendLines() -> Sending {
    let piece = queue.front
    let start = piece.batch.start(of: piece.first)
    let end = piece.batch.start(of: piece.last)
    let result = unsafe piece.batch.bytes.withUnsafeBytes {
      unsafe UnixSocket.send(socket.number, UnsafeRawBufferPointer(rebasing: $0[start..<end]))
    }
    guard case .bytes(let count) = result else {
      if case .wouldBlock = result { return .full }
      return .gone
    }
    let at = start + count
    var index = piece.first
    while index < piece.last, piece.batch.records[index].end <= at { index += 1 }
    if index < piece.last, at > piece.batch.start(of: index) {
      encoded += piece.batch.bytes[at..<piece.batch.records[index].end]
      index += 1
    }
    if index > piece.first { queue.take(index - piece.first) }
    return .taken
  }

  private func encode(_ fixed: Bool) {
    while !queue.isEmpty, encoded.count < Self.encodedBytes {
      let piece = queue.front
      var index = piece.first
      while index < piece.last, encoded.count < Self.encodedBytes {
        let record = piece.batch.records[index]
        BinaryRecord.append(
          piece.batch.bytes[piece.batch.start(of: index)..<record.end - 1], record.type,
          fixed: fixed, to: &encoded)
        index += 1
      }
      queue.take(index - piece.first)
    }
  }
}

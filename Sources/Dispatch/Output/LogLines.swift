import Glibc
import Linux

/// Lines for the journal or the system's log, under the plugin's name. Waits for room.
struct LogLines: Sendable {
  private let place: OutputSink.Place
  /// To the journal, one for each plugin.
  private var streams: [String: Stream] = [:]
  private var log: Log?
  /// The longest message for the system's log. It is halved when the log refuses one as too long.
  private var longest = 64 << 10

  private final class Stream: Sendable {
    let descriptor: Descriptor
    init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }
  }

  private final class Log: Sendable {
    let socket: DatagramSocket
    init(_ socket: consuming DatagramSocket) { self.socket = socket }
  }

  init(_ place: OutputSink.Place) { self.place = place }

  /// Sends some of a piece's bytes from that place on; the result is how many.
  mutating func send(_ piece: OutputSink.Piece, from start: Int) -> WriteResult {
    do throws(SystemError) {
      return place == .journal
        ? try sendToJournal(piece, from: start) : try sendMessage(piece, from: start)
    } catch { return .failed(error.cause) }
  }

  private mutating func sendToJournal(
    _ piece: OutputSink.Piece, from start: Int
  ) throws(SystemError) -> WriteResult {
    let stream: Stream
    if let open = streams[piece.plugin] {
      stream = open
    } else {
      stream = Stream(try UnixSocket.connect(OutputSink.Place.journalSocket))
      // Identifier, unit, priority, whether lines begin with one, and where else they go to.
      let head = "\(piece.plugin)\n\n6\n0\n0\n0\n0\n"
      do throws(Errno) {
        try Transfer.writeAll(stream.descriptor.number, Array(head.utf8))
      } catch { throw SystemError("write to", OutputSink.Place.journalSocket, error) }
      streams[piece.plugin] = stream
    }
    let fd = stream.descriptor.number
    let result = unsafe piece.bytes[start...].withUnsafeBytes { unsafe UnixSocket.send(fd, $0) }
    switch result {
    case .bytes: break
    case .wouldBlock: _ = Poll.wait(fd, for: .write, milliseconds: 1000)
    // The next one begins where this one was.
    case .failed: streams[piece.plugin] = nil
    }
    return result
  }

  /// Sends the next line, or as much of it as one message may have.
  private mutating func sendMessage(
    _ piece: OutputSink.Piece, from start: Int
  ) throws(SystemError) -> WriteResult {
    let rest = piece.bytes[start...]
    let line = rest.prefix { $0 != 0x0a }.prefix(longest)
    let newline = line.endIndex < rest.endIndex && rest[line.endIndex] == 0x0a ? 1 : 0
    if line.isEmpty { return .bytes(newline) }
    let log: Log
    if let open = self.log, !open.socket.hasEnded {
      log = open
    } else {
      log = Log(try DatagramSocket(path: "/dev/log", orStream: true))
      self.log = log
    }
    // Facility daemon, severity info.
    switch log.socket.send(Array("<30>\(piece.plugin): ".utf8) + line) {
    case .bytes: return .bytes(line.count + newline)
    case .wouldBlock:
      _ = Poll.wait(log.socket.number, for: .write, milliseconds: 1000)
      return .wouldBlock
    case .failed(let errno) where errno == .messageTooLong && longest > 1024:
      longest /= 2
      return .wouldBlock
    case .failed(let errno):
      self.log = nil
      return .failed(errno)
    }
  }
}

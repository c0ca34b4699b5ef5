import Glibc
import Linux
import TestSupport
import RemoteProtocol

/// A server on the loopback whose every word a test says.
final class ScriptedServer {
  private let socket: Loopback
  private var connection: Descriptor?
  private var bytes: [UInt8] = []
  /// How the connections began.
  private(set) var openings: [Opening] = []
  var port: UInt16 { socket.port }

  init() throws {
    socket = try Loopback(stream: true, waiting: 8)
  }

  struct Message: Equatable {
    var header: MessageHeader
    var text: String
  }

  /// The lines of a configuration that sends here.
  func configuration(_ more: String...) -> String {
    ([
      "remote_server = 127.0.0.1", "port = \(port)", "network_retry_time = 0.05",
      "network_retry_time_max = 0.1",
    ] + more).map { $0 + "\n" }.joined()
  }

  /// Takes the next connection, within that time; `false` when there is none.
  func accept(within time: Duration = .seconds(20)) -> Bool {
    guard Poll.readable([socket.number], within: time)[0] else { return false }
    bytes = []
    let accepted = socket.accept()
    // Answers that wait to be sent together would be lost by a reset.
    SocketState.setStreamOptions(accepted.number, timeout: .seconds(30))
    connection = consume accepted
    return true
  }

  /// The next message; `nil` when none comes within that time, or the connection has ended.
  func next(within time: Duration = .seconds(20)) -> Message? {
    while true {
      if bytes.count >= MessageHeader.size, let header = MessageHeader(bytes[...]) {
        let end = MessageHeader.size + header.length
        if bytes.count >= end {
          let text = String(decoding: bytes[MessageHeader.size..<end], as: UTF8.self)
          bytes.removeFirst(end)
          // Each connection begins with it; a test sees what follows.
          if let opening = Opening(payload: Array(text.utf8)) {
            openings.append(opening)
            answer(header.sequence)
            continue
          }
          return Message(header: header, text: text)
        }
      }
      guard let number, Poll.readable([number], within: time)[0] else { return nil }
      var more = [UInt8](repeating: 0, count: 64 << 10)
      let result = unsafe more.withUnsafeMutableBytes { unsafe Transfer.read(number, into: $0) }
      guard case .bytes(let count) = result else { return nil }
      bytes += more[..<count]
    }
  }

  private var number: Int32? {
    switch connection {
    case .some(let connection): connection.number
    case .none: nil
    }
  }

  func answer(_ sequence: UInt32, _ type: MessageType = .acknowledgement, text: String = "") {
    var reply: [UInt8] = []
    MessageHeader(type, length: text.utf8.count, sequence: sequence).append(to: &reply)
    say(reply + Array(text.utf8))
  }

  func say(_ bytes: [UInt8]) {
    guard let number else { return }
    _ = unsafe bytes.withUnsafeBytes { unsafe UnixSocket.send(number, $0) }
  }

  /// Takes messages and acknowledges each, until that many records came; their texts.
  func store(_ count: Int) -> [String] {
    var texts: [String] = []
    while texts.count < count, let message = next() {
      answer(message.header.sequence)
      if message.header.type == .record { texts.append(message.text) }
    }
    return texts
  }

  /// Ends the connection, in good order or by a reset.
  func close(reset: Bool = false) {
    if reset, let number { SocketState.resetAtClose(number) }
    connection = nil
  }
}

/// Records whose only difference is their number.
func records(_ numbers: some Sequence<Int>) -> [String] {
  numbers.map { "type=USER msg=audit(1700000000.000:\($0)): n=\($0)" }
}

/// A plugin that sends to a server.
func remote(
  _ configuration: String, first: Int? = 1, environment: [String] = ["AUDISPATCH_PLUGIN=test"]
) throws -> PluginRun {
  let folder = try PluginRun.makeFolder()
  let file = try Descriptor.open("\(folder)/remote.conf", O_WRONLY | O_CREAT, mode: 0o600)
  try Transfer.writeAll(file.number, Array(configuration.utf8))
  return try PluginRun(
    "audispatch-remote", ["--config", "\(folder)/remote.conf"], first: first,
    environment: environment, folder: folder)
}

import AudispatchPlugin
import Glibc
import Linux

/// A conversation with the daemon: one line asks, `ok` or `error TEXT` answers, then comes a body
/// until the daemon closes.
struct ControlClient {
  /// How long the daemon may take for its first line and between parts of a body.
  static let patience = Duration.seconds(30)
  /// A status of 10,000 plugins is some 4 MB.
  static let longestBody = 64 << 20

  let folder: String

  var socket: String { folder + (folder.hasSuffix("/") ? "" : "/") + "control.sock" }

  /// Asks, and returns the whole body.
  func answer(to request: String) throws(ControlFailure) -> [UInt8] {
    var reply = try ask(request)
    while try reply.readMore(within: Self.patience) {
      guard reply.body.count <= Self.longestBody else {
        throw ControlFailure(
          "audispatchd's answer is too long", hint: "Is \(socket) really audispatchd's socket?")
      }
    }
    return reply.body
  }

  /// Asks, and returns when the daemon has agreed.
  func ask(_ request: String) throws(ControlFailure) -> ControlReply {
    let connection = try connect()
    do {
      try Transfer.writeAll(connection.number, Array("\(request)\n".utf8))
    } catch {
      throw ControlFailure("audispatchd hung up: \(error)")
    }
    var reply = ControlReply(connection)
    while true {
      if let line = reply.takeLine() {
        if line.elementsEqual("ok".utf8) { return reply }
        if line.starts(with: "error ".utf8) {
          throw ControlFailure("audispatchd refused: \(SafeText.escaped(line.dropFirst(6)))")
        }
        throw ControlFailure(
          "audispatchd's answer is not understood: \(SafeText.word(line.prefix(200)))")
      }
      guard reply.body.count < 64 << 10, try reply.readMore(within: Self.patience) else {
        throw ControlFailure("audispatchd hung up without an answer")
      }
    }
  }
}

extension ControlClient {
  /// How long a worker that has died may take to be replaced, while its keeper lives; and where
  /// nobody but a service manager could start another.
  private static let replacement = (held: Duration.seconds(30), alone: Duration.seconds(2))

  /// Connects; waits while the process that dispatches is being replaced.
  private func connect() throws(ControlFailure) -> Descriptor {
    let began = Moment.now
    while true {
      do {
        return try UnixSocket.connect(socket)
      } catch {
        let isGone = [ENOENT, ECONNREFUSED].contains(error.cause.number)
        let limit =
          keeperLives
          ? Self.replacement.held
          : error.cause.number == ECONNREFUSED ? Self.replacement.alone : .zero
        guard isGone, Moment.now - began < limit else {
          throw .cannotConnect(socket, error.cause)
        }
        Pause.nanoseconds(20_000_000)
      }
    }
  }

  private var keeperLives: Bool {
    guard let text = try? Transfer.contents(of: folder + "/keeper", limit: 32),
      let pid = Int32(String(decoding: text.prefix { $0 != 0x0a }, as: UTF8.self)), pid > 0,
      kill(pid, 0) == 0 || errno == EPERM
    else { return false }
    let name = try? Transfer.contents(of: "/proc/\(pid)/comm", limit: 32)
    return name.map { $0 == Array("audispatchd\n".utf8) } ?? true
  }
}

/// What the daemon says after it was asked.
struct ControlReply: ~Copyable {
  let connection: Descriptor
  /// What was read and not yet taken.
  private(set) var body: [UInt8] = []
  private var chunk = [UInt8](repeating: 0, count: 64 << 10)

  init(_ connection: consuming Descriptor) { self.connection = connection }

  mutating func takeLine() -> [UInt8]? {
    guard let newline = body.firstIndex(of: 0x0a) else { return nil }
    let line = Array(body[..<newline])
    body.removeSubrange(...newline)
    return line
  }

  mutating func takeAll() -> [UInt8] {
    defer { body.removeAll(keepingCapacity: true) }
    return body
  }

  /// Reads once; `false` when the daemon has closed.
  mutating func readMore(within patience: Duration) throws(ControlFailure) -> Bool {
    guard Poll.readable([connection.number], within: patience)[0] else {
      throw ControlFailure(
        "audispatchd does not answer",
        hint: "It is alive but busy or stopped; its log and /proc may say with what.")
    }
    let number = connection.number
    let result = unsafe chunk.withUnsafeMutableBytes { buffer in
      unsafe Transfer.read(number, into: buffer)
    }
    switch result {
    case .bytes(let count): body += chunk[..<count]
    case .wouldBlock: break
    case .end: return false
    case .failed(let errno): throw ControlFailure("audispatchd hung up: \(errno)")
    }
    return true
  }
}

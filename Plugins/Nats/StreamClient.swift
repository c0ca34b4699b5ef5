import CNATSPublisher
import Glibc
import Linux
import Shipping

/// Why a server did not do what was asked of it.
struct StreamFailure: Error, Equatable, CustomStringConvertible {
  let description: String
  /// Whether the connection still serves.
  let isConnected: Bool
}

/// A connection to NATS and to one stream there. Every call waits, but for `stop`; for one thread at a
/// time.
final class StreamClient: Sendable {
  /// Of an `np_client`, which stays for as long as the process.
  private let address: UInt
  let stream: String

  init(_ options: NatsOptions) throws(SystemError) {
    stream = options.stream
    let texts = unsafe CTexts(
      options.servers.map(\.text) + [
        "audispatch-nats", options.credentials.user, options.credentials.password, options.token,
        options.credentialsFile, options.tls.authorities, options.tls.certificate, options.tls.key,
      ])
    defer { unsafe texts.free() }
    let count = options.servers.count
    let made = unsafe texts.all.withUnsafeBufferPointer { pointers -> OpaquePointer? in
      unsafe pointers.baseAddress!.withMemoryRebound(
        to: UnsafePointer<CChar>.self, capacity: count
      ) { servers in
        var raw = unsafe np_settings(
          servers: servers, server_count: Int32(count), name: pointers[count],
          user: pointers[count + 1], password: pointers[count + 2], token: pointers[count + 3],
          credentials: pointers[count + 4], secure: options.isSecure,
          authorities: pointers[count + 5], certificate: pointers[count + 6],
          key: pointers[count + 7],
          connect_milliseconds: Self.milliseconds(options.publishing.patience.connectTime),
          answer_milliseconds: Self.milliseconds(options.publishing.patience.answerTime))
        return unsafe np_new(&raw)
      }
    }
    guard let made = unsafe made else {
      throw SystemError("make", "a client of NATS", Errno(ENOMEM))
    }
    address = UInt(bitPattern: made)
  }

  private static func milliseconds(_ time: Duration) -> Int64 {
    Int64(time / .milliseconds(1))
  }

  private var client: OpaquePointer { unsafe OpaquePointer(bitPattern: address)! }

  /// Has `publish` return soon, for ever, and nothing else; from any thread.
  func stop() { unsafe np_stop(client) }

  /// Makes a connection if there is none.
  func open() throws(StreamFailure) { try Self.check(unsafe np_open(client)) }
  func close() { unsafe np_close(client) }

  private static func check(_ answer: np_answer) throws(StreamFailure) {
    guard !answer.done else { return }
    throw StreamFailure(description: why(answer), isConnected: answer.connected)
  }

  private static func why(_ answer: np_answer) -> String {
    var text = answer.why
    return unsafe withUnsafeBytes(of: &text) { bytes in
      unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
  }

  /// Publishes messages, in their order; what became of each, and its number in the stream if it is
  /// stored.
  func publish(
    _ messages: [OutgoingMessage]
  ) -> (published: PublishedMessages, numbers: [UInt64]) {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(
      messages.reduce(1) { $0 + $1.body.count + $1.id.count + $1.subject.utf8.count + 2 })
    var places: [np_place] = []
    places.reserveCapacity(messages.count)
    for message in messages {
      var place = np_place(subject: bytes.count, id: 0, body: 0, size: message.body.count)
      bytes += message.subject.utf8
      bytes.append(0)
      place.id = bytes.count
      bytes += message.id
      bytes.append(0)
      place.body = bytes.count
      bytes += message.body
      places.append(place)
    }
    var results = [np_result](repeating: np_result(), count: messages.count)
    let answer = unsafe np_publish(client, stream, bytes, places, &results, messages.count)
    let fates = results.map { result -> MessageFate in
      switch Int(result.outcome) {
      case NP_STORED: .stored
      case NP_DUPLICATE: .alreadyThere
      case NP_LATER: .later
      case NP_REFUSED: .refused("it is larger than the server or the stream takes")
      case NP_UNKNOWN: .unknown
      default: .unsent
      }
    }
    return (
      PublishedMessages(fates, why: Self.why(answer), isConnected: answer.connected),
      results.map(\.sequence)
    )
  }

  /// When the stream has stored the last message of a subject, in nanoseconds since 1970; `nil` for
  /// never.
  func lastTime(of subject: String) throws(StreamFailure) -> Int64? {
    var time: Int64 = 0
    try Self.check(unsafe np_last(client, stream, subject, &time))
    return time == 0 ? nil : time
  }

  /// The ids of a subject's last messages from a time on, in their order: all, or `mostDoubtful` at
  /// least, which are those that may be in doubt.
  func ids(of subject: String, since: Int64) throws(StreamFailure) -> [[UInt8]] {
    let found = FoundIds()
    let context = unsafe Unmanaged.passUnretained(found).toOpaque()
    let answer = unsafe np_tail(
      client, stream, subject, since,
      { id, context in
        guard let context = unsafe context else { return }
        unsafe Unmanaged<FoundIds>.fromOpaque(context).takeUnretainedValue().take(
          Array(UnsafeBufferPointer(start: id, count: strlen(id)).map { UInt8(bitPattern: $0) }))
      }, context)
    try Self.check(answer)
    return found.ids
  }

  private final class FoundIds {
    private(set) var ids: [[UInt8]] = []

    func take(_ id: [UInt8]) {
      ids.append(id)
      if ids.count >= 2 * mostDoubtful { ids.removeFirst(mostDoubtful) }
    }
  }

  /// Whether the message with that number has that id.
  func has(_ id: String, at sequence: UInt64) throws(StreamFailure) {
    try Self.check(unsafe np_find(client, stream, sequence, id))
  }

  /// What the stream is; `nil` when there is none.
  func look(for subject: String) throws(StreamFailure) -> StreamState? {
    var raw = np_stream()
    try Self.check(unsafe np_look(client, stream, subject, &raw))
    return raw.exists ? StreamState(raw) : nil
  }

  func make(_ wanted: StreamState, for subject: String) throws(StreamFailure) {
    var raw = np_stream(wanted)
    try Self.check(unsafe np_make(client, stream, subject, &raw))
  }

  /// Makes the window of the stream that long, and nothing else.
  func widen(to window: Duration) throws(StreamFailure) {
    try Self.check(unsafe np_widen(client, stream, window.inNanoseconds))
  }
}

extension StreamState {
  fileprivate init(_ raw: np_stream) {
    window = .nanoseconds(raw.window)
    maxAge = raw.max_age > 0 ? .nanoseconds(raw.max_age) : nil
    maxBytes = raw.max_bytes > 0 ? Int(raw.max_bytes) : nil
    replicas = Int(raw.replicas)
    takesSubject = raw.takes_subject
  }
}

extension np_stream {
  fileprivate init(_ state: StreamState) {
    self.init(
      exists: true, window: state.window.inNanoseconds,
      max_age: state.maxAge?.inNanoseconds ?? 0, max_bytes: Int64(state.maxBytes ?? 0),
      replicas: Int64(state.replicas), takes_subject: true, discards_new: state.maxBytes != nil)
  }
}

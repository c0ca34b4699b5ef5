import CHTTPClient
import Glibc
public import Linux
import Synchronization

/// Sends HTTP requests, several at a time, on a thread of its own: whoever sends them never waits.
///
/// Connections are kept. No redirect is followed. A request is never sent twice: one that a dead
/// connection may have taken fails.
public final class HTTPClient: ThreadWork {
  private struct State: Sendable {
    var wanted: [(number: UInt64, request: HTTPRequest)] = []
    var answers: [(number: UInt64, answer: HTTPAnswer)] = []
    var isStopped = false
  }

  private static let longestWait: Int32 = 10_000

  private let settings: HTTPSettings
  private let state = Mutex(State())
  private let wanted: Bell
  private let answered: Bell
  private let thread = Mutex<KeptThread?>(nil)

  public init(_ settings: HTTPSettings) throws(SystemError) {
    self.settings = settings
    wanted = try Bell()
    answered = try Bell()
    let started = try KeptThread(self)
    thread.withLock { $0 = started }
  }

  /// Readable when there are answers.
  public var number: Int32 { answered.number }

  /// Begins a request; its answer has that number.
  public func send(_ request: HTTPRequest, number: UInt64) {
    state.withLock { $0.wanted.append((number, request)) }
    wanted.ring()
  }

  /// The answers that have come, in their order.
  public func takeAnswers() -> [(number: UInt64, answer: HTTPAnswer)] {
    answered.clear()
    return state.withLock { state in
      defer { state.answers = [] }
      return state.answers
    }
  }

  /// Ends the thread, and so all requests that are under way: they have no answer.
  public func stop() {
    state.withLock { $0.isStopped = true }
    wanted.ring()
    thread.withLock { $0.take() }?.join()
  }

  // MARK: The thread

  public func run() {
    guard let engine = unsafe makeEngine() else { return failAll("no memory") }
    var running = 0
    while true {
      wanted.clear()
      let (isStopped, requests) = state.withLock { state in
        defer { state.wanted = [] }
        return (state.isStopped, state.wanted)
      }
      // With a request under way the engine stays: to free it would wait for a name that is being
      // looked up.
      if isStopped {
        if running == 0 { unsafe hc_free(engine) }
        return
      }
      for (number, request) in requests {
        if unsafe begin(request, number, engine) {
          running += 1
        } else {
          put(number, .failed("no memory for a request", mayHaveArrived: false))
        }
      }
      unsafe hc_run(engine, wanted.number, Self.longestWait)
      running -= unsafe takeOver(engine)
    }
  }

  private func put(_ number: UInt64, _ answer: HTTPAnswer) {
    state.withLock { $0.answers.append((number, answer)) }
    answered.ring()
  }

  /// For as long as the process lives, every request fails.
  private func failAll(_ why: String) {
    while true {
      wanted.clear()
      let (isStopped, requests) = state.withLock { state in
        defer { state.wanted = [] }
        return (state.isStopped, state.wanted)
      }
      if isStopped { return }
      for (number, _) in requests { put(number, .failed(why, mayHaveArrived: false)) }
      _ = Poll.wait(wanted.number, for: .read, milliseconds: -1)
    }
  }

  private func makeEngine() -> OpaquePointer? {
    let texts = unsafe CTexts([
      settings.authorities, settings.certificate, settings.key, settings.proxy,
      settings.withoutProxy, settings.agent,
    ])
    defer { unsafe texts.free() }
    var raw = unsafe hc_settings()
    unsafe raw.authorities = texts.all[0]
    unsafe raw.certificate = texts.all[1]
    unsafe raw.key = texts.all[2]
    unsafe raw.proxy = texts.all[3]
    unsafe raw.no_proxy = texts.all[4]
    unsafe raw.agent = texts.all[5]
    unsafe raw.connect_milliseconds = settings.connectTime.wholeMilliseconds
    return unsafe hc_new(&raw)
  }

  private func begin(_ request: HTTPRequest, _ number: UInt64, _ engine: OpaquePointer) -> Bool {
    let texts = unsafe CTexts(
      [request.method.rawValue, request.url] + settings.headers + request.headers + [nil])
    defer { unsafe texts.free() }
    return unsafe texts.all.withUnsafeBufferPointer { pointers in
      var raw = unsafe hc_request()
      unsafe raw.number = number
      unsafe raw.method = pointers[0]
      unsafe raw.url = pointers[1]
      unsafe raw.headers = pointers.baseAddress! + 2
      unsafe raw.compression = Int32(request.compression)
      unsafe raw.milliseconds = request.time.wholeMilliseconds
      unsafe raw.answer_limit = request.answerLimit
      // An empty body is one all the same, and needs an address.
      guard let body = request.body else { return unsafe hc_begin(engine, &raw) }
      return unsafe (body.isEmpty ? [0] : body).withUnsafeBufferPointer { bytes in
        unsafe raw.body = bytes.baseAddress
        unsafe raw.size = body.count
        return unsafe hc_begin(engine, &raw)
      }
    }
  }

  /// How many requests have come to their end.
  private func takeOver(_ engine: OpaquePointer) -> Int {
    var raw = unsafe hc_answer()
    var count = 0
    while unsafe hc_next(engine, &raw) {
      count += 1
      let number = unsafe raw.number
      let status = unsafe raw.status
      guard status > 0 else {
        let why = unsafe raw.why.map { unsafe String(cString: $0) } ?? ""
        put(number, .failed(why, mayHaveArrived: unsafe raw.may_have_arrived))
        continue
      }
      let body = unsafe [UInt8](UnsafeBufferPointer(start: raw.body, count: raw.size))
      let after = unsafe raw.retry_after
      put(number, .status(status, body: body, retryAfter: after > 0 ? .seconds(after) : nil))
    }
    return count
  }
}

extension Duration {
  var wholeMilliseconds: Int { Int(clamping: inNanoseconds / 1_000_000) }
}

import AudispatchPlugin
import Linux
import Shipping
import Synchronization

/// Messages that are published together.
struct PublishRequest: Sendable {
  let messages: [StreamMessage]
  /// Where messages may be stored already: all subjects of the node of each.
  let doubts: [String]
}

/// What became of a request.
enum PublishAnswer: Equatable, Sendable {
  /// Nothing: there is no connection, or no stream.
  case failed(String)
  /// Of each message; why those are not stored that come again; and why it could not be found out
  /// what was there before, where it could not.
  case outcomes([MessageOutcome], why: String, notLookedUp: String?)
}

/// Publishes on a thread of its own, one request at a time: whoever asks never waits.
final class StreamThread: ThreadWork {
  private struct State: Sendable {
    var wanted: PublishRequest?
    var answer: PublishAnswer?
    var isStopped = false
    /// A connection is made, or something is asked of the server: it may last, and cannot be broken
    /// off; nothing is published before it ends.
    var isPreparing = false
  }

  private let client: StreamClient
  private let options: NatsOptions
  private let state = Mutex(State())
  private let wanted: Bell
  private let answered: Bell
  private let thread = Mutex<KeptThread?>(nil)

  init(_ options: NatsOptions) throws(SystemError) {
    self.options = options
    client = try StreamClient(options)
    wanted = try Bell()
    answered = try Bell()
    let started = try KeptThread(self)
    thread.withLock { $0 = started }
  }

  /// Readable when there is an answer.
  var number: Int32 { answered.number }

  func send(_ request: PublishRequest) {
    state.withLock { $0.wanted = request }
    wanted.ring()
  }

  func takeAnswer() -> PublishAnswer? {
    answered.clear()
    return state.withLock { $0.answer.take() }
  }

  /// Ends the thread, and what is under way. Waits for the thread only where it publishes, which ends
  /// soon, or when a write that the server does not take has lasted for `answer_time`.
  ///
  /// - Returns: whether anything may have been published of what has no answer then.
  func stop() -> Bool {
    client.stop()
    let isPreparing = state.withLock { state in
      state.isStopped = true
      return state.isPreparing
    }
    wanted.ring()
    let kept = thread.withLock { $0.take() }
    if isPreparing { kept?.detach() } else { kept?.join() }
    return !isPreparing
  }

  // MARK: The thread

  private struct Connection: Sendable {
    var isOpen = false
    /// Of the stream; `nil` when nobody says it.
    var window: Duration?
    /// Ids that were looked up, by subject, and when.
    var known: [String: (ids: Set<[UInt8]>, at: Duration)] = [:]
  }

  /// Ids that are kept at most.
  private static let mostKnown = 10 * mostDoubtful

  /// Only the thread looks at it.
  private let connection = Mutex(Connection())

  func run() {
    while true {
      _ = Poll.wait(wanted.number, for: .read, milliseconds: -1)
      wanted.clear()
      let (isStopped, request) = state.withLock { ($0.isStopped, $0.wanted.take()) }
      if isStopped { break }
      guard let request else { continue }
      guard let answer = answer(to: request) else { break }
      state.withLock { $0.answer = answer }
      answered.ring()
    }
    client.close()
  }

  /// `nil` when it was stopped before anything was published.
  private func answer(to request: PublishRequest) -> PublishAnswer? {
    let begins = state.withLock { state in
      state.isPreparing = !state.isStopped
      return state.isPreparing
    }
    guard begins else { return nil }
    let found = Result { () throws(StreamFailure) in try prepare(request) }
    if case .failure = found { drop() }
    let isStopped = state.withLock { state in
      state.isPreparing = false
      return state.isStopped
    }
    if isStopped { return nil }
    switch found {
    case .success(let found): return publish(request, found.there, found.notLookedUp)
    case .failure(let failure): return .failed(failure.description)
    }
  }

  /// Makes sure of a connection and of the stream; the ids that are there of those that may be, and
  /// why it could not be found out which, where it could not.
  private func prepare(
    _ request: PublishRequest
  ) throws(StreamFailure) -> (there: Set<[UInt8]>, notLookedUp: String?) {
    try open()
    guard !request.doubts.isEmpty else {
      // What may be there is the first to be sent, so nobody asks any more.
      connection.withLock { $0.known = [:] }
      return ([], nil)
    }
    do throws(StreamFailure) {
      return (try lookUp(request.doubts), nil)
    } catch {
      guard error.isConnected else { throw error }
      return ([], error.description)
    }
  }

  private func drop() {
    client.close()
    connection.withLock { $0 = Connection() }
  }

  /// Makes sure of a connection and of the stream.
  private func open() throws(StreamFailure) {
    try client.open()
    if connection.withLock({ $0.isOpen }) { return }
    let window = try streamWindow()
    connection.withLock {
      $0.isOpen = true
      $0.window = window
    }
  }

  /// The window of the stream, which has to be there; `nil` where we may not ask.
  private func streamWindow() throws(StreamFailure) -> Duration? {
    let found: StreamState?
    do throws(StreamFailure) {
      found = try client.look(for: options.subject.wildcard(node: nil))
    } catch {
      guard error.isConnected else { throw error }
      // Whoever may not look may publish all the same.
      return nil
    }
    guard let found else {
      throw StreamFailure(
        description: "there is no stream \(options.stream): audispatch-nats setup makes it",
        isConnected: true)
    }
    return found.window
  }

  /// The ids that are there of those that may be, and that the stream does not know any more.
  private func lookUp(_ subjects: [String]) throws(StreamFailure) -> Set<[UInt8]> {
    guard options.subject.hasNode else {
      // The last message of all hosts says nothing about when one of them stored its own.
      throw StreamFailure(description: "subject has no {node}", isConnected: true)
    }
    guard let window = connection.withLock({ $0.window }) else {
      throw StreamFailure(description: "the stream's window is not known", isConnected: true)
    }
    var found: Set<[UInt8]> = []
    for subject in Set(subjects) {
      found.formUnion(try ids(of: subject, window))
    }
    return found
  }

  private func ids(of subject: String, _ window: Duration) throws(StreamFailure) -> Set<[UInt8]> {
    let now = MonotonicTime.now
    let (known, kept) = connection.withLock { connection in
      (connection.known[subject], connection.known.values.reduce(0) { $0 + $1.ids.count })
    }
    if let known, now - known.at < window / 4 { return known.ids }
    guard kept < Self.mostKnown else {
      throw StreamFailure(
        description: "\(kept) ids are remembered already", isConnected: true)
    }
    let last = try client.lastTime(of: subject)
    var ids = known?.ids ?? []
    let plan = LookUp(
      last: last, now: WallClock.milliseconds * 1_000_000, window: window,
      answerTime: options.patience.answerTime)
    if case .since(let time) = plan {
      ids.formUnion(try client.ids(of: subject, since: time))
    }
    connection.withLock { $0.known[subject] = (ids, now) }
    return ids
  }

  private func publish(
    _ request: PublishRequest, _ there: Set<[UInt8]>, _ notLookedUp: String?
  ) -> PublishAnswer {
    let missing = request.messages.indices.filter { !there.contains(request.messages[$0].id) }
    let (found, why, isConnected) = client.publish(missing.map { request.messages[$0] })
    if !isConnected { drop() }
    var outcomes = [MessageOutcome](repeating: .alreadyThere, count: request.messages.count)
    for (place, outcome) in zip(missing, found) { outcomes[place] = outcome }
    return .outcomes(outcomes, why: why, notLookedUp: notLookedUp)
  }
}

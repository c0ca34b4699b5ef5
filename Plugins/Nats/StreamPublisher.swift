import AudispatchPlugin
import Linux
import Shipping
import Synchronization

/// Stores messages in a stream, and looks for those that it has and does not know any more.
final class StreamPublisher: PublishingClient {
  private struct State: Sendable {
    /// Whether the stream was seen.
    var isOpen = false
    /// Of the stream; `nil` when nobody says it.
    var window: Duration?
    /// What was looked up, by subject.
    var known: [String: Known] = [:]
  }

  private struct Known: Sendable {
    /// Ids were read from that time on, in nanoseconds since 1970; `nil`: none had to be.
    var since: Int64?
    /// `nil`: there was no room for them.
    var ids: Set<[UInt8]>?
    var at: Duration
  }

  private let client: StreamClient
  private let options: NatsOptions
  private let mostKnown: Int
  /// Only the thread looks at it.
  private let state = Mutex(State())

  /// - Parameter mostKnown: ids that are remembered from one batch to the next, of all subjects; one
  ///   subject alone has room however many it has.
  init(_ options: NatsOptions, mostKnown: Int = 10 * mostDoubtful) throws(SystemError) {
    self.options = options
    self.mostKnown = mostKnown
    client = try StreamClient(options)
  }

  func stop() { client.stop() }

  func close() {
    client.close()
    state.withLock { $0 = State() }
  }

  /// The library has threads of its own for what a server says meanwhile.
  func rest() {}

  func publish(_ messages: [OutgoingMessage], says: (String) -> Void) -> PublishedMessages {
    client.publish(messages).published
  }

  func prepare(
    _ messages: [OutgoingMessage], areDoubtful: Bool
  ) throws(PublishingFailure) -> FoundBefore {
    try state.withLock { (state) throws(PublishingFailure) in
      do throws(StreamFailure) {
        try open(&state)
        guard areDoubtful else {
          // What may be there is the first to be sent, so nobody asks any more.
          state.known = [:]
          return FoundBefore()
        }
        return try lookUp(messages, &state)
      } catch { throw PublishingFailure(error.description) }
    }
  }

  /// Makes sure of a connection and of the stream.
  private func open(_ state: inout State) throws(StreamFailure) {
    try client.open()
    if state.isOpen { return }
    state.window = try streamWindow()
    state.isOpen = true
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
  private func lookUp(
    _ messages: [OutgoingMessage], _ state: inout State
  ) throws(StreamFailure) -> FoundBefore {
    guard options.subject.hasNode else {
      // The last message of all hosts says nothing about when one of them stored its own.
      return FoundBefore(notLookedUp: "subject has no {node}")
    }
    guard let window = state.window else {
      return FoundBefore(notLookedUp: "the stream's window is not known")
    }
    let answerTime = options.publishing.patience.answerTime
    let parts = Dictionary(grouping: messages) { options.subject.wildcard(node: $0.node) }
    var found = FoundBefore()
    var asks = true
    for (subject, messages) in parts.sorted(by: { $0.key < $1.key }) {
      var known = state.known[subject]?.ids
      let began = MonotonicTime.now
      if asks {
        do throws(StreamFailure) {
          known = try ids(of: subject, window, &state)
        } catch {
          guard error.isConnected else { throw error }
          found.notLookedUp = error.description
          // Whoever may not ask gets no answer, and waits for that once, not for each node.
          asks = MonotonicTime.now - began < answerTime
        }
      }
      // The stream may have far more than a batch asks for.
      if let known { found.ids.formUnion(messages.lazy.map(\.id).filter(known.contains)) }
    }
    return found
  }

  private func ids(
    of subject: String, _ window: Duration, _ state: inout State
  ) throws(StreamFailure) -> Set<[UInt8]> {
    let now = MonotonicTime.now
    let known = state.known[subject]
    if let ids = known?.ids, let at = known?.at, now - at < window / 4 { return ids }
    let last = try client.lastTime(of: subject)
    let plan = LookUp(
      last: last, now: WallClock.milliseconds * 1_000_000, window: window,
      answerTime: options.publishing.patience.answerTime)
    // What this process stores makes the last message new; the stream may have forgotten those before.
    var since = known?.since
    var ids = known?.ids
    if case .since(let time) = plan {
      since = min(time, since ?? time)
      ids = nil
    }
    let all: Set<[UInt8]>
    if let ids {
      all = ids
    } else if let since {
      all = Set(try client.ids(of: subject, since: since))
    } else {
      all = []
    }
    let others = state.known.reduce(0) { $0 + ($1.key == subject ? 0 : $1.value.ids?.count ?? 0) }
    let hasRoom = others == 0 || others + all.count <= mostKnown
    state.known[subject] = Known(since: since, ids: hasRoom ? all : nil, at: now)
    return all
  }
}

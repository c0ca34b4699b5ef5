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
    /// Ids that were looked up, by subject, and when.
    var known: [String: (ids: Set<[UInt8]>, at: Duration)] = [:]
  }

  /// Ids that are kept at most.
  private static let mostKnown = 10 * mostDoubtful

  private let client: StreamClient
  private let options: NatsOptions
  /// Only the thread looks at it.
  private let state = Mutex(State())

  init(_ options: NatsOptions) throws(SystemError) {
    self.options = options
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
    var found = FoundBefore()
    do throws(StreamFailure) {
      for subject in Set(messages.map { options.subject.wildcard(node: $0.node) }) {
        found.ids.formUnion(try ids(of: subject, window, &state))
      }
    } catch {
      guard error.isConnected else { throw error }
      return FoundBefore(notLookedUp: error.description)
    }
    return found
  }

  private func ids(
    of subject: String, _ window: Duration, _ state: inout State
  ) throws(StreamFailure) -> Set<[UInt8]> {
    let now = MonotonicTime.now
    let known = state.known[subject]
    if let known, now - known.at < window / 4 { return known.ids }
    let kept = state.known.values.reduce(0) { $0 + $1.ids.count }
    guard kept < Self.mostKnown else {
      throw StreamFailure(
        description: "\(kept) ids are remembered already", isConnected: true)
    }
    let last = try client.lastTime(of: subject)
    var ids = known?.ids ?? []
    let plan = LookUp(
      last: last, now: WallClock.milliseconds * 1_000_000, window: window,
      answerTime: options.publishing.patience.answerTime)
    if case .since(let time) = plan {
      ids.formUnion(try client.ids(of: subject, since: time))
    }
    state.known[subject] = (ids, now)
    return ids
  }
}

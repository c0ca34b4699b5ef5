import Linux
import Synchronization

/// Messages that are published together.
struct PublishingRequest: Sendable {
  let messages: [OutgoingMessage]
  let areDoubtful: Bool
}

/// What became of a request.
enum PublishingAnswer: Sendable {
  /// Nothing: it could not be sent.
  case failed(String)
  /// What became of each message, and why it could not be found out what was there before, where it
  /// could not.
  case published(PublishedMessages, notLookedUp: String?)
}

/// Publishes on a thread of its own, one request at a time: whoever asks never waits.
final class PublishingThread<Client: PublishingClient>: ThreadWork {
  private struct State: Sendable {
    var wanted: PublishingRequest?
    var answer: PublishingAnswer?
    var said: [String] = []
    var isStopped = false
    /// Something is asked of the server: it may last, and cannot be broken off; nothing is published
    /// before it ends.
    var isPreparing = false
  }

  private let client: Client
  private let state = Mutex(State())
  private let wanted: Bell
  private let answered: Bell
  private let thread = Mutex<KeptThread?>(nil)

  init(_ client: Client) throws(SystemError) {
    self.client = client
    wanted = try Bell()
    answered = try Bell()
    let started = try KeptThread(self)
    thread.withLock { $0 = started }
  }

  /// Readable when there is an answer, or something is said.
  var number: Int32 { answered.number }

  func send(_ request: PublishingRequest) {
    state.withLock { $0.wanted = request }
    wanted.ring()
  }

  /// The answer, if there is one, and why it lasts, where it does.
  func take() -> (answer: PublishingAnswer?, said: [String]) {
    answered.clear()
    return state.withLock { state in
      defer { state.said = [] }
      return (state.answer.take(), state.said)
    }
  }

  /// Ends the thread, and what is under way. Waits for the thread only where it publishes, which ends
  /// as `PublishingClient.stop` says.
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

  private static var restMilliseconds: Int32 { 10_000 }

  func run() {
    while true {
      let isWanted = Poll.wait(wanted.number, for: .read, milliseconds: Self.restMilliseconds)
      if !isWanted {
        client.rest()
        continue
      }
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
  private func answer(to request: PublishingRequest) -> PublishingAnswer? {
    let begins = state.withLock { state in
      state.isPreparing = !state.isStopped
      return state.isPreparing
    }
    guard begins else { return nil }
    let found = Result { () throws(PublishingFailure) in
      try client.prepare(request.messages, areDoubtful: request.areDoubtful)
    }
    if case .failure = found { client.close() }
    let isStopped = state.withLock { state in
      state.isPreparing = false
      return state.isStopped
    }
    if isStopped { return nil }
    switch found {
    case .success(let found):
      return .published(publish(request, found.ids), notLookedUp: found.notLookedUp)
    case .failure(let failure): return .failed(failure.description)
    }
  }

  private func publish(_ request: PublishingRequest, _ there: Set<[UInt8]>) -> PublishedMessages {
    let missing = request.messages.indices.filter { !there.contains(request.messages[$0].id) }
    var published = client.publish(missing.map { request.messages[$0] }) { text in
      state.withLock { $0.said.append(text) }
      answered.ring()
    }
    if !published.isConnected { client.close() }
    var fates = [MessageFate](repeating: .alreadyThere, count: request.messages.count)
    for (place, fate) in zip(missing, published.fates) { fates[place] = fate }
    published.fates = fates
    return published
  }
}

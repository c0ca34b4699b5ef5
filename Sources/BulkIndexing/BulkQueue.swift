/// Documents that are not stored yet, in the order in which they came, and what became of each.
///
/// A document that is done is let go of with all before it: so what is confirmed has no gaps. Until
/// then it is held, without its body.
public struct BulkQueue<Token: Comparable & Sendable>: Sendable {
  public typealias Document = QueuedDocument<Token>

  /// What is sent together: either documents that may be stored already, or others.
  public struct Batch: Equatable, Sendable {
    /// Where the documents are; in the order of the queue.
    public var places: [Int]
    /// Whether they may be stored already.
    public var isDoubtful: Bool

    public init(places: [Int], isDoubtful: Bool) {
      self.places = places
      self.isDoubtful = isDoubtful
    }
  }

  public struct Limits: Equatable, Sendable {
    public var documents: Int
    public var bytes: Int
    /// How long a document waits for others.
    public var gathering: Duration

    public init(documents: Int, bytes: Int, gathering: Duration) {
      self.documents = documents
      self.bytes = bytes
      self.gathering = gathering
    }

    /// A request of so many bytes was too large.
    public mutating func shrink(below size: Int) { bytes = min(bytes, max(size / 2, 64 << 10)) }

    /// A request was not too large: the next may be somewhat larger, up to `most`.
    public mutating func grow(to most: Int) { bytes = min(most, bytes + bytes / 64) }
  }

  public struct Counts: Equatable, Sendable {
    public var stored = 0
    public var alreadyThere = 0
    public var retried = 0
    public var asText = 0
    public var refused = 0
    /// Of these, those that are in the index for them.
    public var refusedIndexed = 0
    /// Stored where it could not be looked up whether they were before.
    public var perhapsTwice = 0
  }

  var documents: [Document] = []
  /// The place of the first of them.
  var first = 0
  var done = 0
  var refusedDone = 0
  private var retriedWaiting = 0
  /// Bytes of all that are held.
  public private(set) var bytes = 0
  /// Documents that are not done.
  public private(set) var count = 0
  /// Those, and what is done behind one of them.
  public var held: Int { documents.count - done }
  public internal(set) var counts = Counts()
  /// Whether refused documents go to an index first, and only what that does not take to a file.
  public var hasRefusedIndex = false
  /// How long a document waits that is to be tried again.
  public var delay: RetryDelay

  public init(delay: RetryDelay) { self.delay = delay }

  public subscript(place: Int) -> Document { documents[place - first] }

  public mutating func append(
    _ token: Token, id: [UInt8], body: [UInt8], milliseconds: UInt64, doubt: Doubt = .none,
    at now: Duration
  ) {
    let document = Document(
      token: token, id: id, body: body, milliseconds: milliseconds, doubt: doubt, since: now)
    documents.append(document)
    bytes += document.cost
    count += 1
  }

  // MARK: What is sent next

  /// The next batch, which is then under way; `nil` when there is nothing to be sent yet.
  ///
  /// - Parameter waits: whether documents wait for others.
  public mutating func next(_ limits: Limits, at now: Duration, waits: Bool = true) -> Batch? {
    guard let batch = batch(limits, at: now, waits: waits) else { return nil }
    for place in batch.places {
      if documents[place - first].isRetried {
        counts.retried += 1
        retriedWaiting -= 1
      }
      documents[place - first].state = .sent
    }
    return batch
  }

  private func batch(_ limits: Limits, at now: Duration, waits: Bool) -> Batch? {
    var places: [Int] = []
    var size = 0
    var share = Int.max
    var isFull = false
    var oldest = now
    var isRetried = false
    // In place: a copy of each would cost more than the look.
    for at in done..<documents.count where documents[at].state == .waiting {
      guard documents[at].since <= now else { continue }
      let isDoubtful = documents[at].doubt != .none
      if let first = places.first, isDoubtful != (self[first].doubt != .none) {
        isFull = true
        break
      }
      let most = min(limits.documents, share, documents[at].share)
      if !places.isEmpty, places.count >= most || size + documents[at].cost > limits.bytes {
        isFull = true
        break
      }
      places.append(first + at)
      size += documents[at].cost
      share = min(share, documents[at].share)
      oldest = min(oldest, documents[at].since)
      isRetried = isRetried || documents[at].isRetried
      if places.count >= min(limits.documents, share) {
        isFull = true
        break
      }
    }
    guard !places.isEmpty else { return nil }
    guard isFull || !waits || isRetried || oldest + limits.gathering <= now else { return nil }
    return Batch(places: places, isDoubtful: places.contains { self[$0].doubt != .none })
  }

  /// When there will be something to send; `nil`: not before something comes.
  public func nextTime(_ limits: Limits) -> Duration? {
    var earliest: Duration?
    for at in done..<documents.count where documents[at].state == .waiting {
      let time = documents[at].since + (documents[at].isRetried ? .zero : limits.gathering)
      earliest = min(earliest ?? time, time)
      // Those that were not tried yet are in the order in which they came.
      if retriedWaiting == 0 { break }
    }
    return earliest
  }

  // MARK: What became of it

  /// Takes the fates of a batch, one for each of its documents.
  ///
  /// - Parameter index: the index that is written to, as far as is known.
  public mutating func settle(
    _ batch: Batch, _ fates: [DocumentFate], index: [UInt8], at now: Duration, chance: Double
  ) {
    precondition(batch.places.count == fates.count, "a document has no fate, or two")
    for (place, fate) in zip(batch.places, fates) {
      settle(place, fate, index: index, at: now, chance: chance)
    }
    letGo()
  }

  private mutating func settle(
    _ place: Int, _ fate: DocumentFate, index: [UInt8], at now: Duration, chance: Double
  ) {
    let at = place - first
    precondition(documents[at].state == .sent, "a document that is not under way has a fate")
    switch fate {
    case .stored:
      counts.stored += 1
      finish(at)
    case .alreadyThere:
      counts.alreadyThere += 1
      finish(at)
    case .later(let reason, let mayBeStored):
      documents[at].failures += 1
      documents[at].reason = reason
      wait(at, until: now + delay.next(failures: documents[at].failures, chance: chance))
      if mayBeStored, documents[at].doubt == .none {
        documents[at].doubt = .possible(since: index)
      }
    case .asText(let type, let reason):
      counts.asText += 1
      documents[at].shape = .text
      documents[at].reason = type.isEmpty ? reason : "\(type): \(reason)"
      wait(at, until: now)
    case .refused(let type, let reason): refuse(at, type: type, reason: reason, now)
    }
  }

  /// Nothing became of a batch: it is to be sent again, by another host perhaps.
  ///
  /// - Parameter mayBeStored: whether it may have been stored all the same.
  public mutating func giveBack(
    _ batch: Batch, mayBeStored: Bool, index: [UInt8], at now: Duration
  ) {
    for place in batch.places {
      wait(place - first, until: now)
      if mayBeStored, self[place].doubt == .none {
        documents[place - first].doubt = .possible(since: index)
      }
    }
  }

  /// A batch was too large, or something in it is refused: it is sent again in halves.
  ///
  /// - Returns: `false` for a single document, which cannot be halved: it is refused.
  @discardableResult
  public mutating func split(_ batch: Batch, reason: String, at now: Duration) -> Bool {
    guard batch.places.count > 1 else {
      for place in batch.places { refuse(place - first, type: "", reason: reason, now) }
      return false
    }
    for place in batch.places {
      wait(place - first, until: now)
      documents[place - first].share = (batch.places.count + 1) / 2
    }
    return true
  }

  /// Documents of a batch that were looked for and are there; the rest, of which nobody has doubts.
  ///
  /// - Parameter isSure: whether they could be looked for everywhere; if not, the doubts stay.
  public mutating func found(_ batch: Batch, _ isThere: [Bool], isSure: Bool = true) -> Batch {
    precondition(batch.places.count == isThere.count, "a document was not looked for, or twice")
    var rest = Batch(places: [], isDoubtful: false)
    for (place, isThere) in zip(batch.places, isThere) {
      if isThere {
        counts.alreadyThere += 1
        finish(place - first)
      } else {
        if isSure { documents[place - first].doubt = .none }
        rest.places.append(place)
      }
    }
    letGo()
    return rest
  }

  public mutating func notePerhapsTwice(_ count: Int) { counts.perhapsTwice += count }

  private mutating func refuse(_ at: Int, type: String, reason: String, _ now: Duration) {
    counts.refused += 1
    documents[at].state = .refused(type: type, reason: reason)
    documents[at].since = now
    documents[at].failures = 0
    documents[at].share = .max
  }

  private mutating func wait(_ at: Int, until time: Duration) {
    documents[at].state = .waiting
    documents[at].isRetried = true
    retriedWaiting += 1
    documents[at].since = time
  }

  // MARK: What is done

  mutating func finish(_ at: Int) {
    precondition(documents[at].state != .done, "a document is done twice")
    bytes -= documents[at].body.count
    documents[at].body = []
    count -= 1
    documents[at].state = .done
  }

  private var newlyDone: Token?

  mutating func letGo() {
    while done < documents.count, documents[done].state == .done {
      newlyDone = documents[done].token
      bytes -= documents[done].cost
      done += 1
    }
    guard done > 4096 || done == documents.count else { return }
    documents.removeFirst(done)
    first += done
    done = 0
  }

  /// The last document that is done with all before it, since this was asked before.
  public mutating func takeDone() -> Token? {
    defer { newlyDone = nil }
    return newlyDone
  }
}

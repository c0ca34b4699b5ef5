/// Whether a document may be stored already though nobody said so.
public enum Doubt: Equatable, Sendable {
  case none
  /// It may have been, since that was the index that is written to; empty: nobody knows which.
  case possible(since: [UInt8])
}

/// A document on its way into an index.
public struct QueuedDocument<Token: Comparable & Sendable>: Sendable {
  enum State: Equatable, Sendable {
    case waiting
    case sent
    /// It waits to be written where refused documents go.
    case refused(type: String, reason: String)
    /// It is under way into the index for refused documents.
    case refusedSent(type: String, reason: String)
    case done
  }

  public let token: Token
  /// As JSON has it, without quotes.
  public let id: [UInt8]
  /// Empty when it is done.
  public internal(set) var body: [UInt8]
  /// Its time, in milliseconds since 1970.
  public let milliseconds: UInt64
  public internal(set) var shape = DocumentShape.whole
  public internal(set) var doubt: Doubt
  /// Why it is not sent whole, or was refused.
  public internal(set) var reason = ""

  var state = State.waiting
  var failures = 0
  /// When it came, or may be tried again.
  var since: Duration
  var isRetried = false
  /// Documents of a request that it may be in.
  var share = Int.max

  /// Whether the index for refused documents does not take it.
  var isGivenUp = false

  /// Why no index takes it; `nil` for one that is not refused.
  public var refusal: (type: String, reason: String)? {
    switch state {
    case .refused(let type, let reason), .refusedSent(let type, let reason): (type, reason)
    case .waiting, .sent, .done: nil
    }
  }

  var isRefused: Bool {
    if case .refused = state { true } else { false }
  }
  public var cost: Int { body.count + id.count + 64 }
}

/// A message on its way to a server.
public struct OutgoingMessage: Equatable, Sendable {
  /// The subject or topic.
  public let subject: String
  /// Of the event; messages of a node stay in their order.
  public let node: [UInt8]
  public let id: [UInt8]
  public let body: [UInt8]
  /// When the event was, in milliseconds since 1970.
  public let milliseconds: UInt64

  public init(
    subject: String, node: [UInt8], id: [UInt8], body: [UInt8], milliseconds: UInt64
  ) {
    self.subject = subject
    self.node = node
    self.id = id
    self.body = body
    self.milliseconds = milliseconds
  }
}

/// What became of a message.
public enum MessageFate: Equatable, Sendable {
  case stored
  /// It was there before.
  case alreadyThere
  /// The server does not take it now.
  case later
  /// It takes it never.
  case refused(String)
  /// It takes it never together with the others of which that is said; one of them alone it may.
  case refusedTogether(String)
  /// It was sent, and nobody said anything of it.
  case unknown
  case unsent
}

/// Why a server did not do what was asked of it.
public struct PublishingFailure: Error, Equatable, CustomStringConvertible {
  public let description: String

  public init(_ description: String) { self.description = description }
}

/// What is there of messages that may be.
public struct FoundBefore: Equatable, Sendable {
  public var ids: Set<[UInt8]>
  /// Why it could not be found out, or not wholly.
  public var notLookedUp: String?

  public init(_ ids: Set<[UInt8]> = [], notLookedUp: String? = nil) {
    self.ids = ids
    self.notLookedUp = notLookedUp
  }
}

/// What became of messages that were sent together.
public struct PublishedMessages: Equatable, Sendable {
  /// Of each, in their order.
  public var fates: [MessageFate]
  /// Why the first of those is not stored that come again; empty when there are none.
  public var why: String
  /// Whether the connection still serves.
  public var isConnected: Bool

  public init(_ fates: [MessageFate], why: String, isConnected: Bool) {
    self.fates = fates
    self.why = why
    self.isConnected = isConnected
  }
}

/// What brings messages to one kind of server. Every call waits, but for `stop`; all others are made
/// by one thread.
public protocol PublishingClient: Sendable {
  /// From now on `publish` ends soon, or when a write that the server does not take has lasted as
  /// long as an answer may take. May be called from any thread.
  func stop()

  /// Makes sure that messages can be sent; what is there of them.
  ///
  /// - Parameter areDoubtful: whether they may be there; if not, nobody looks.
  func prepare(
    _ messages: [OutgoingMessage], areDoubtful: Bool
  ) throws(PublishingFailure) -> FoundBefore

  /// Publishes messages, in their order.
  ///
  /// - Parameter says: is told, meanwhile, why it lasts.
  func publish(_ messages: [OutgoingMessage], says: (String) -> Void) -> PublishedMessages

  /// Is called every ten seconds while there is nothing to publish.
  func rest()

  /// Ends the connection, and what is known by it.
  func close()
}

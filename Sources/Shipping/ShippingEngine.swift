public import AudispatchPlugin
public import Linux
public import ProcessContext

/// Brings events to servers and says what became of them: the part of a plugin that knows what it
/// sends to. `ShippingPlugin` does the rest.
///
/// Nothing in it waits for a server.
public protocol ShippingEngine: Sendable {
  associatedtype Options: PluginOptions & Equatable

  /// What is sent, in messages: `documents`, of which one is a `document`.
  static var things: (many: String, one: String) { get }

  /// - Parameter predecessor: one that was stopped; what waits there goes where the options say.
  init(_ options: Options, after predecessor: Self?) throws(SystemError)

  /// How many are not done.
  var waiting: Int { get }
  /// What cannot be confirmed yet, and its bytes: that, and what is done behind it.
  var held: (count: Int, bytes: Int) { get }
  /// Readable when an answer has come.
  var watched: Int32 { get }
  /// When there is something to do at the latest.
  var deadline: Duration? { get }
  /// So many are appended before `advance` is called at the latest.
  var share: Int { get }
  /// Events that went nowhere and come from nobody again.
  var lost: Int { get }
  /// Where it goes what no server takes: `goes to FILE`, `is dropped`.
  var placeOfRefused: String { get }
  var figures: [(name: String, value: Int)] { get }

  /// - Parameters:
  ///   - context: what is known of its processes.
  ///   - isDoubtful: whether a process before this one may have sent it.
  mutating func append(
    _ event: AuditEvent, _ context: EventContext?, isDoubtful: Bool, at now: Duration)

  /// Takes the answers that have come and begins what can be begun; the last event that is done with
  /// all before it.
  ///
  /// - Parameter waits: whether events wait for others.
  mutating func advance(waits: Bool) -> DeliveryToken?

  mutating func takeReports() -> [ShippingReport]

  /// Ends what is under way, which may have been done or not; the last event that is done with all
  /// before it.
  mutating func stop() -> DeliveryToken?
}

/// What is to be said.
public enum ShippingReport: Equatable, Sendable {
  case trouble(String)
  case recovered
  case refused(type: String, reason: String, id: String)
  case note(String)
}

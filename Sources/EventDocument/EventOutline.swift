public import AudispatchPlugin

/// What an event says in a few values: what was done to what, how that ended, and why. Who did it is
/// in an `EventOverview`, since names of users may have to be looked up.
///
/// Texts are bytes as the event has them, decoded; an empty one is not known. They are somebody
/// else's choice: show them through `SafeText`.
public struct EventOutline: Equatable, Sendable {
  /// How it ended.
  public enum Outcome: Equatable, Sendable {
    case success
    case failure
    /// Nothing in the event says so.
    case unknown
  }

  /// What was done, as `event.action` has it, in Laurel's form that of `ecs`: `opened-file`. Empty
  /// where no table has it.
  public internal(set) var action: [UInt8] = []
  /// What kind of thing it was done to: `file`, `directory`, `socket`, `process`, `user-session`, …
  public internal(set) var objectType: [UInt8] = []
  /// To what: an absolute path, an address, an account.
  public internal(set) var object: [UInt8] = []
  /// What tells more about that: a port, a host.
  public internal(set) var objectDetail: [UInt8] = []
  /// With which program; the script's name where that is an interpreter.
  public internal(set) var program: [UInt8] = []
  public internal(set) var outcome = Outcome.unknown
  /// The error of a system call that failed, by name: `EACCES`.
  public internal(set) var reason: [UInt8] = []
  /// The keys of the rules that made the event.
  public internal(set) var keys: [[UInt8]] = []
}

extension EventOutline {
  init(_ facts: EventFacts) {
    func bytes(_ text: Text?) -> [UInt8] { text.map { Array(facts.text[$0]) } ?? [] }
    action = facts.action
    objectType = facts.objectType
    object = bytes(facts.object)
    objectDetail = bytes(facts.secondaryObject)
    program = bytes(facts.how)
    keys = facts.tags.map { bytes($0) }
    outcome = facts.outcome
    if outcome == .failure { reason = bytes(facts.data.value("exit", facts.text)) }
  }
}

extension EventFacts {
  var outcome: EventOutline.Outcome {
    guard let result else { return .unknown }
    if text.has(result, "success") { return .success }
    guard text.has(result, "fail") else { return .unknown }
    // A connection that goes on in the background: nobody knows yet.
    if let error = data.value("exit", text), text.has(error, "EINPROGRESS") { return .unknown }
    return .failure
  }
}

extension DocumentWriter {
  /// What the event says whose document was written last: all that needs no names of users.
  public mutating func outline(of event: AuditEvent) -> EventOutline {
    guard form != .laurel || coalescer.coalesce(event) else { return EventOutline() }
    return EventOutline(coalescer.facts)
  }
}

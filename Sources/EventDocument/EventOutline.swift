public import AudispatchPlugin

/// What an event says in a few values: who did what to what, how that ended, and why.
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

  /// The user who logged in (`auid`), by name if it is known; empty for what no login has begun.
  public internal(set) var login: [UInt8] = []
  /// As whom: the user of the process, or of the account that a program's record names.
  public internal(set) var actingAs: [UInt8] = []
  /// What was done, as `event.action` in `ecs` has it: `opened-file`. Empty where no table has it.
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

/// Reads outlines. Keeps what it needs from event to event.
public struct OutlineReader: Sendable {
  private var coalescer = Coalescer(isComplete: true)
  private var people: PersonFinder

  /// - Parameter accounts: where names of users are looked up that the lines do not bring; on this
  ///   host that may block.
  public init(accounts: AccountLookup) { people = PersonFinder(accounts) }

  public mutating func outline(of event: AuditEvent) -> EventOutline {
    guard coalescer.coalesce(event) else { return EventOutline() }
    people.begin()
    let facts = coalescer.facts
    var outline = EventOutline(facts)
    if let actor = facts.actor, !facts.text.has(actor, "unset") {
      outline.login = Array(people.actor(actor, facts))
    }
    outline.actingAs = Array(people.actor(facts.actingAs, facts))
    return outline
  }
}

extension EventOutline {
  /// What needs no names of users.
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
    return text.has(result, "fail") ? .failure : .unknown
  }
}

extension DocumentWriter {
  /// What the event says whose document was written last: all that needs no names of users.
  public mutating func outline(of event: AuditEvent) -> EventOutline {
    guard form != .laurel || coalescer.coalesce(event) else { return EventOutline() }
    return EventOutline(coalescer.facts)
  }
}

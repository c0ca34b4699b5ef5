/// What an event says in the words that formats of fixed fields have, such as CEF and LEEF.
///
/// Texts are bytes as the event has them, decoded; `nil` is not known. What they say of who, what
/// and how it ended is what an `EventOutline` and the documents say.
public struct EventOverview: Equatable, Sendable {
  /// A user or a group.
  public struct Party: Equatable, Sendable {
    public internal(set) var id: [UInt8]?
    public internal(set) var name: [UInt8]?

    var isKnown: Bool { id != nil || name != nil }
  }

  /// The system call, the `op` of a message of user space, or what a security module decided on.
  public internal(set) var action: [UInt8]?
  public internal(set) var outcome = EventOutline.Outcome.unknown
  /// The error that a system call ended with: `EACCES(Permission denied)`.
  public internal(set) var reason: [UInt8]?

  /// Who acts: by login, and as whom.
  public internal(set) var login = Party()
  public internal(set) var user = Party()
  /// The account and the group that something is done to.
  public internal(set) var account = Party()
  public internal(set) var group = Party()

  public internal(set) var process: [UInt8]?
  public internal(set) var executable: [UInt8]?
  public internal(set) var session: [UInt8]?
  public internal(set) var terminal: [UInt8]?
  public internal(set) var command: [UInt8]?
  public internal(set) var folder: [UInt8]?
  /// From the root, where the event tells.
  public internal(set) var path: [UInt8]?
  public internal(set) var inode: [UInt8]?
  /// In octal, with the kind of the file.
  public internal(set) var mode: [UInt8]?

  /// What a security module decided (`denied`), and about what.
  public internal(set) var decision: [UInt8]?
  public internal(set) var permissions: [UInt8]?

  /// Who connected or sent, and to whom.
  public internal(set) var source: NetworkEnd?
  public internal(set) var sourceHost: [UInt8]?
  public internal(set) var target: NetworkEnd?
  /// What a socket was bound to.
  public internal(set) var bound: NetworkEnd?

  /// Whose name stands for the one who acts: whoever logged in, else as whom it runs.
  public var actor: Party { login.id == nil ? user : login }

  /// As whom somebody acts who logged in as another, or whom something is done to.
  public var other: Party {
    if account.isKnown { return account }
    return login.id == nil || group.name != nil ? Party() : user
  }
}

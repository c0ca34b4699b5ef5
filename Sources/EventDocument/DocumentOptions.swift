public import AudispatchPlugin

/// In which way an event is written as a JSON document.
public enum DocumentForm: String, CaseIterable, Sendable {
  /// The Elastic Common Schema, with the fields of Auditbeat's module auditd.
  case ecs
  /// What Auditbeat 6 wrote, faults included.
  case auditbeat6
  /// What Laurel writes.
  case laurel
  /// What go-libaudit's coalescing gives, faults and warnings included; for comparison.
  case libaudit = "go-libaudit"
}

/// What documents hold beside the event itself.
public struct DocumentOptions: Sendable {
  /// Bytes of a document, at least 4096: values of one that is larger are cut, from the end, and
  /// say so; who did it, the rule's key, the serial and the id stay.
  public var maximumSize = 1 << 20
  /// What this host is called, and so a node whose lines do not name it; empty for a host without a
  /// name. Names of users are looked up for events of this host alone.
  public var host = ""
  /// Whether the lines are kept in `event.original`.
  public var keepsOriginal = false
  public var accounts = AccountLookup.host
  public var laurel = LaurelSettings()

  public init() {}

  /// The node of an event.
  public func node(of event: AuditEvent) -> [UInt8] {
    event.node.map { Array(event.bytes[$0]) } ?? Array(host.utf8)
  }
}

/// What Laurel's own settings let be written (form `laurel`).
public struct LaurelSettings: Equatable, Sendable {
  /// Arguments of a program as a list, `ARGV`.
  public var hasArgumentList = true
  /// And as one text, `ARGV_STR`.
  public var hasArgumentText = false
  /// Bytes of arguments beyond which those in the middle are left out, with how many.
  public var argumentLimit: Int?
  /// Names of architectures, system calls and socket addresses beside their numbers.
  public var translatesCalls = false
  /// Names of users and groups beside theirs.
  public var translatesUsers = false
  /// `PID`, `PPID` and `OPID`: what is known of the processes.
  public var namesProcesses = true
  /// `PARENT_INFO`, which newer ones do not have.
  public var hasParentInfo = false
  public var namesContainers = true

  public init() {}
}

/// How much of an event is written, so that its document stays within its bound.
enum DocumentExtent: Equatable, Sendable {
  case whole
  /// With values of at most so many bytes, and lists of at most so many items.
  case cut(values: Int, items: Int)
  /// Without the records' own fields.
  case bare

  static let steps: [DocumentExtent] = [
    .whole, .cut(values: 4096, items: 1000), .cut(values: 512, items: 100),
    .cut(values: 96, items: 20), .bare,
  ]

  var keepsDetails: Bool { self != .bare }
  var limits: (values: Int, items: Int) {
    switch self {
    case .whole: (.max, .max)
    case .cut(let values, let items): (values, items)
    case .bare: (64, 5)
    }
  }
}

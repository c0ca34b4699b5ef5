/// What a record's type says about the extent of its event.
///
/// The kernel's records (1300 to 1999, and LOGIN) may have a SYSCALL with the same serial, or be
/// alone, by how the process was audited: only an end or time can tell. What user space sends has
/// a serial of its own. libauparse's rules are the same but for LOGIN and the NetLabel types,
/// which it ends at once; kernels since 4.x and 5.x give them a SYSCALL.
public enum EventRole: Sendable {
  /// An event of its own.
  case single
  /// One of several, or alone.
  case member
  /// The last of an event but for EOE.
  case proctitle
  /// EOE.
  case end

  public init(_ type: RecordType) {
    switch type.rawValue {
    case 1320: self = .end
    case 1327: self = .proctitle
    case 1006, 1300..<2000, TypeNames.unknown: self = .member
    default: self = .single
    }
  }
}

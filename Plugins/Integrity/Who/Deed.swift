import Linux
import AuditRecord

/// One system call that can have changed files: who made it, how, and on what.
struct Deed: Equatable, Sendable {
  /// A file as a PATH record has it.
  struct Item: Equatable, Sendable {
    enum Role: Sendable { case folder, created, deleted, other }

    var role: Role
    /// `nil` where the record has none.
    var identity: FileIdentity?
    /// As it stands there: absolute, relative to whatever folder, or empty.
    var name: [UInt8]
    /// Where it is certain.
    var path: FilePath?

    /// The last component.
    var leaf: [UInt8] { Array(name.split(separator: 0x2f).last ?? []) }
  }

  /// A program as far as the records tell of it.
  struct Program: Hashable, Sendable {
    var pid: UInt32
    var executable: [UInt8]?
    /// What the process showed as its command line; the kernel cuts it at 128 bytes.
    var arguments: [[UInt8]]
  }

  var stamp: RecordStamp
  var author: Author
  /// What auditd wrote for the login uid, of the host and the time of the record.
  var loginName: [UInt8]?
  /// As whom it was done.
  var user: UInt32?
  var effectiveUser: UInt32?
  var terminal: [UInt8]?
  var program: Program
  var call: String?
  var keys: [[UInt8]] = []
  var effect: CallEffect
  var items: [Item] = []
  /// The programs that led to it, from its parent on; ends where nothing is known.
  var ancestors: [Program] = []

  /// Whether the call made new files, not new names of old ones.
  var makesFiles: Bool {
    guard let call else { return false }
    return !call.hasPrefix("rename") && !call.hasPrefix("link")
  }

  var moves: Bool { call?.hasPrefix("rename") ?? true }
}

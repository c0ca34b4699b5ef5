import Linux

/// What is kept of a file: everything that a rule can ask for. What was not asked for, or is not
/// there, is `nil` or empty; a report never takes that for a value.
struct FileState: Equatable, Sendable {
  var facts: FileFacts
  /// Of a symbolic link.
  var target: [UInt8]?
  /// `system.posix_acl_access`, `system.posix_acl_default`, as the kernel has them.
  var accessList: [UInt8]?
  var defaultList: [UInt8]?
  /// `security.capability`.
  var capabilities: [UInt8]?
  /// `security.selinux`, or `security.apparmor`.
  var label: [UInt8]?
  /// All other extended attributes, by name.
  var extended: [ExtendedAttribute] = []
  /// The bits that chattr(1) sets.
  var flags: UInt32?
  var sha256: [UInt8]?
  var sha512: [UInt8]?
  var blake2b: [UInt8]?
  var verity: [UInt8]?
  /// Bytes that the hashes are of; `nil` where none was made.
  var hashed: UInt64?
  /// It went on changing while it was read: the hashes are of no one moment.
  var isUnstable = false
  /// What could not be read, and why: `content: Permission denied`.
  var unread: [String] = []

  init(_ facts: FileFacts) { self.facts = facts }

  struct ExtendedAttribute: Equatable, Sendable {
    var name: [UInt8]
    var value: [UInt8]
  }

  var type: FileType { FileType(facts) }

  /// Whether these facts, of the same path or of the file itself, are still of the regular file whose
  /// state this is, and nothing has happened to it since.
  func isOf(_ now: FileFacts) -> Bool {
    now.kind == .regular && now.inode == facts.inode && now.device == facts.device
      && now.size == facts.size && now.changed == facts.changed
  }
}

/// What kind of file, in the words of ECS `file.type`.
enum FileType: String, Sendable {
  case file, dir, symlink, fifo, socket
  case character = "char_device"
  case block = "block_device"

  init(_ facts: FileFacts) {
    self =
      switch facts.kind {
      case .regular: .file
      case .directory: .dir
      case .symbolicLink: .symlink
      case .fifo: .fifo
      case .socket: .socket
      case .device: facts.isBlockDevice ? .block : .character
      }
  }
}

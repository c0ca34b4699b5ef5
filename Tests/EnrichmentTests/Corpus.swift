import Glibc
import Linux
import ScriptedAccounts

/// A recorded netlink message.
struct Message {
  var type: UInt32
  var text: [UInt8]
}

/// A binary record: version, type and the bytes that its size counts.
struct BinaryRecord: Equatable, CustomStringConvertible {
  var version: UInt32
  var type: UInt32
  var payload: [UInt8]

  init(version: UInt32, type: UInt32, _ payload: [UInt8]) {
    self.version = version
    self.type = type
    self.payload = payload
  }

  init(line: String, type: UInt32) { self.init(version: 1, type: type, Array(line.utf8)) }

  /// Takes apart records one behind the other; stops at what is none.
  static func all(in bytes: [UInt8]) -> [BinaryRecord] {
    var records: [BinaryRecord] = []
    var at = 0
    while at + 16 <= bytes.count, number(bytes, at + 4) == 16 {
      let size = Int(number(bytes, at + 12))
      guard at + 16 + size <= bytes.count else { break }
      records.append(
        BinaryRecord(
          version: number(bytes, at), type: number(bytes, at + 8),
          Array(bytes[at + 16..<at + 16 + size])))
      at += 16 + size
    }
    return records
  }

  var description: String {
    "v\(version) type \(type) size \(payload.count) \(String(decoding: payload, as: UTF8.self))"
  }
}

func number(_ bytes: [UInt8], _ at: Int) -> UInt32 {
  (0..<4).reduce(0) { $0 | UInt32(bytes[at + $1]) << ($1 * 8) }
}

enum Corpus {
  static let folder = String(#filePath.dropLast("Corpus.swift".count)) + "Corpus/"

  static func bytes(_ name: String) throws -> [UInt8] {
    try Transfer.contents(of: folder + name, limit: 1 << 20)
  }

  /// The messages of a capture, by their lengths alone: not through the reader that is tested.
  static func messages(_ name: String) throws -> [Message] {
    let bytes = try bytes(name)
    var messages: [Message] = []
    var at = 0
    while at < bytes.count {
      let length = Int(number(bytes, at))
      let type = number(bytes, at + 4) & 0xFFFF
      messages.append(Message(type: type, text: Array(bytes[at + 16..<at + length])))
      at += length
    }
    return messages
  }

  /// The lines of a log, as the records that auditd made of them.
  static func lines(_ name: String) throws -> [[UInt8]] {
    try bytes(name).split(separator: 0x0A).map(Array.init)
  }
}

/// Runs `body` with no accounts but those that it, or `users` and `groups`, name.
func withAccounts<Result>(
  users: [UInt32: String] = [:], groups: [UInt32: String] = [:], _ body: () throws -> Result
) rethrows -> Result {
  accounts_begin()
  defer { accounts_end() }
  for (id, name) in users { unsafe accounts_set_user(id, name) }
  for (id, name) in groups { unsafe accounts_set_group(id, name) }
  return try body()
}

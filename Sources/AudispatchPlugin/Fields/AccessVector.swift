import AuditRecord

/// What SELinux decided: words in front of a record's fields, in a USER_AVC inside `msg='…'`.
///
///     avc:  denied  { read write } for  pid=1
///
/// libauparse has them as the fields `seresult` and `seperms`.
public struct AccessVector: Equatable, Sendable {
  /// Where `denied` or `granted` stands.
  public let result: Range<Int>
  /// Where the permissions stand, without their braces and with spaces between them.
  public let permissions: Range<Int>

  init?(_ record: EventRecord, _ bytes: [UInt8]) {
    let end = record.line.upperBound
    var at = record.body
    func words(_ text: StaticString) -> Bool {
      guard bytes.span.has(text, at: at), at + text.utf8CodeUnitCount <= end else { return false }
      at += text.utf8CodeUnitCount
      return true
    }
    func space() { while at < end, bytes[at] == 0x20 { at += 1 } }
    switch record.type {
    case .avc: break
    case .userAVC:
      while at < end, !words("msg='") { at += 1 }
    default: return nil
    }
    space()
    guard words("avc:") else { return nil }
    space()
    let start = at
    while at < end, bytes[at] != 0x20 { at += 1 }
    let result = start..<at
    space()
    guard words("{") else { return nil }
    space()
    let first = at
    guard let close = bytes[at..<end].firstIndex(of: UInt8(ascii: "}")) else { return nil }
    var last = close
    while last > first, bytes[last - 1] == 0x20 { last -= 1 }
    self.result = result
    permissions = first..<last
  }

  /// The permissions with commas between them.
  func list(in bytes: [UInt8]) -> [UInt8] {
    Array(bytes[permissions].split(separator: 0x20).joined(separator: [UInt8(ascii: ",")]))
  }
}

extension AuditEvent {
  /// What SELinux decided by an AVC or a USER_AVC; `nil` for what has no such words.
  public func accessVector(of record: EventRecord) -> AccessVector? { AccessVector(record, bytes) }

  /// The permissions of a decision with commas between them, as libauparse gives them.
  public func permissions(of vector: AccessVector) -> [UInt8] { vector.list(in: bytes) }
}

extension RecordType {
  fileprivate static let avc = RecordType(rawValue: 1400)
  fileprivate static let userAVC = RecordType(rawValue: 1107)
}

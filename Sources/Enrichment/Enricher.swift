import AuditRecord
import CAudit
import CAuparse
import Glibc

/// Appends to a line what its numbers mean, through libauparse, as auditd 3.0.9 does.
///
/// Behind one 0x1d stand, in the order of the fields, `NAME=meaning` for users, groups, system calls,
/// architectures and socket addresses, also inside `msg='…'`. Names of users and groups are quoted,
/// or in upper-case hexadecimal where they hold what needs it; the others stand as libauparse gives
/// them. libauparse keeps the names that it found until a record of an account's creation or
/// removal passes.
@safe final class Enricher {
  private var parser: OpaquePointer?

  deinit {
    LibauparseTurn.take(.enrichment) { _ in
      if let parser = unsafe parser { unsafe auparse_destroy(parser) }
    }
  }

  /// Appends the enrichment of `line`, a whole record of type `type`.
  func enrich(_ line: inout [UInt8], type: UInt32) {
    guard LineLimit.buffer - line.count > LineLimit.reserve else { return }
    let accounts = AccountChange(type)
    // Nine in ten records have nothing to add; libauparse takes some microseconds to say so.
    guard accounts != nil || line.span.mayHaveMeaning else { return }
    LibauparseTurn.take(.enrichment) { _ in
      guard load(&line), let parser = unsafe parser else { return }
      var more = unsafe auparse_first_record(parser)
      if accounts == .added { auparse_forget_names() }
      var block = Block(room: LineLimit.buffer - line.count)
      // A line that brings meanings of its own has them by the names of its fields.
      let mayRepeat = line.span.firstIndex(of: 0x1D, from: 0) == nil
      var users = LastAccount(mayRepeat: mayRepeat)
      var groups = LastAccount(mayRepeat: mayRepeat)
      while more > 0, block.room > LineLimit.reserve {
        let kind = auparse_type_t(UInt32(bitPattern: unsafe auparse_get_field_type(parser)))
        switch kind {
        case AUPARSE_TYPE_UID:
          unsafe block.add(parser, users.meaning(parser), to: &line, quoted: true)
        case AUPARSE_TYPE_GID:
          unsafe block.add(parser, groups.meaning(parser), to: &line, quoted: true)
        case AUPARSE_TYPE_SYSCALL, AUPARSE_TYPE_ARCH, AUPARSE_TYPE_SOCKADDR:
          unsafe block.add(parser, auparse_interpret_field(parser), to: &line, quoted: false)
        default: break
        }
        more = unsafe auparse_next_field(parser)
      }
      if accounts == .removed { auparse_forget_names() }
    }
  }

  /// Gives the line to libauparse, which wants a newline behind it.
  private func load(_ line: inout [UInt8]) -> Bool {
    line.append(0x0A)
    line.append(0)
    defer { line.removeLast(2) }
    let count = line.count - 1
    return unsafe line.withUnsafeBytes { bytes in
      let text = unsafe bytes.assumingMemoryBound(to: CChar.self).baseAddress
      if let parser = unsafe parser {
        unsafe auparse_new_buffer(parser, text, count)
        return true
      }
      unsafe parser = auparse_init(AUSOURCE_BUFFER, text)
      guard let parser = unsafe parser else { return false }
      unsafe auparse_set_escape_mode(parser, AUPARSE_ESC_RAW)
      return true
    }
  }
}

/// The account that a record named last, for as long as the record is loaded.
///
/// A record names the same user up to five times in a row; libauparse would ask the host each time
/// for one that has no name.
@safe private struct LastAccount {
  let mayRepeat: Bool
  private var value: UnsafePointer<CChar>?
  private var meaning: UnsafePointer<CChar>?

  init(mayRepeat: Bool) { self.mayRepeat = mayRepeat }

  /// The name of the account under the parser's cursor.
  mutating func meaning(_ parser: OpaquePointer) -> UnsafePointer<CChar>? {
    let now = unsafe auparse_get_field_str(parser)
    if mayRepeat, let now = unsafe now, let value = unsafe value, unsafe strcmp(now, value) == 0 {
      return unsafe meaning
    }
    unsafe value = now
    unsafe meaning = auparse_interpret_field(parser)
    return unsafe meaning
  }
}

/// The enrichment of one line as it grows.
private struct Block {
  /// The bytes that line and enrichment may still take.
  var room: Int
  private var fields = 0

  init(room: Int) { self.room = room }

  /// Adds the field under the parser's cursor; a field that does not fit is left out whole.
  mutating func add(
    _ parser: OpaquePointer, _ meaning: UnsafePointer<CChar>?, to line: inout [UInt8], quoted: Bool
  ) {
    if fields == 0 {
      line.append(0x1D)
      room -= 1
    }
    fields += 1
    guard let name = unsafe auparse_get_field_name(parser) else { return }
    var upper: [CChar] = []
    var at = 0
    while unsafe name[at] != 0, at < 63 {
      let byte = unsafe name[at]
      upper.append((0x61...0x7A).contains(byte) ? byte - 0x20 : byte)
      at += 1
    }
    upper.append(0)
    let before = line.count
    if fields > 1 { line.append(0x20) }
    let size: Int
    if quoted {
      guard let pair = unsafe Block.quote(upper, meaning) else {
        return line.removeLast(fields > 1 ? 1 : 0)
      }
      defer { unsafe free(pair) }
      size = unsafe strlen(pair)
      unsafe line.append(pair, size)
    } else {
      size = unsafe at + 1 + (meaning.map { unsafe strlen($0) } ?? 1)
      unsafe upper.withUnsafeBufferPointer { unsafe line.append($0.baseAddress, at) }
      line.append(0x3D)
      if let meaning = unsafe meaning {
        unsafe line.append(meaning, size - at - 1)
      } else {
        line.append(0x3F)
      }
    }
    // auditd counts the space and an end in, for the first field too.
    if size + 2 >= room { line.removeLast(line.count - before) }
    room -= line.count - before
  }

  /// `NAME="meaning"`, or in hexadecimal; to be freed.
  private static func quote(
    _ name: [CChar], _ meaning: UnsafePointer<CChar>?
  ) -> UnsafeMutablePointer<CChar>? {
    guard let meaning = unsafe meaning else { return unsafe audit_encode_nv_string(name, "?", 1) }
    return unsafe audit_encode_nv_string(name, meaning, UInt32(strlen(meaning)))
  }
}

/// What a record says about accounts: libauparse has to forget names before, or after it.
private enum AccountChange {
  case added, removed

  init?(_ type: UInt32) {
    switch Int32(type) {
    case AUDIT_ADD_USER, AUDIT_ADD_GROUP: self = .added
    case AUDIT_USER_MGMT, AUDIT_DEL_USER, AUDIT_DEL_GROUP, AUDIT_GRP_MGMT: self = .removed
    default: return nil
    }
  }
}

extension Span<UInt8> {
  /// Whether a field may be here whose name ends like those of users, groups, system calls,
  /// architectures and socket addresses: `…id=`, `…ll=`, `…ch=`, `…dr=`.
  fileprivate var mayHaveMeaning: Bool {
    var at = 2
    while let equals = firstIndex(of: UInt8(ascii: "="), from: at) {
      switch (self[equals - 2], self[equals - 1]) {
      case (UInt8(ascii: "i"), UInt8(ascii: "d")), (UInt8(ascii: "l"), UInt8(ascii: "l")),
        (UInt8(ascii: "c"), UInt8(ascii: "h")), (UInt8(ascii: "d"), UInt8(ascii: "r")):
        return true
      default: at = equals + 1
      }
    }
    return false
  }
}

extension [UInt8] {
  /// Appends `count` bytes of C text.
  fileprivate mutating func append(_ text: UnsafePointer<CChar>?, _ count: Int) {
    unsafe append(contentsOf: UnsafeRawBufferPointer(start: text, count: count))
  }
}

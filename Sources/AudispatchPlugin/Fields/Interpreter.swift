import AuditRecord
import CAuparse
import Glibc
import Synchronization

/// What the values of a record mean, through libauparse: names of users, system calls, errors,
/// flags, capabilities, addresses.
///
/// About 5 µs a record and 1 µs a field. Names of users are looked up where the host says so (a
/// directory server perhaps), which may block; a line that auditd enriched needs no look-up.
///
/// libauparse up to 3.x keeps what it read of a record in variables of the whole process. All
/// interpreters therefore share one parser, and wait for each other.
public struct Interpreter: Sendable {
  public init() {}

  /// The meaning of a field of a record; `nil` when libauparse has none, does not know it, or
  /// refuses the line.
  public func meaning(of name: String, in record: EventRecord, _ event: AuditEvent) -> String? {
    LibauparseTurn.take(.interpretation) { remembers in
      Parser.shared.withLock { parser in
        if !remembers { parser.forget() }
        return parser.meaning(of: name, in: event.bytes[record.line])
      }
    }
  }
}

extension Interpreter {
  /// The meaning of every field of a record, in its order, one look at the record for all; what
  /// libauparse does not know, or reads only in part, is as it is written. Empty when it refuses
  /// the line. What SELinux decided is `seresult` and `seperms`.
  ///
  /// The fields that auditd added (behind 0x1d) are not among them: they are the meanings.
  public func meanings(
    in record: EventRecord, of lines: [UInt8]
  ) -> [(name: String, meaning: String)] {
    let found = LibauparseTurn.take(.interpretation) { _ in
      Parser.shared.withLock { $0.meanings(in: lines[record.line]) }
    }
    return found.isEmpty ? [] : Meanings.merged(found, record, lines)
  }

  /// The same, for a record of an event.
  public func meanings(
    in record: EventRecord, _ event: AuditEvent
  ) -> [(name: String, meaning: String)] {
    meanings(in: record, of: event.bytes)
  }
}

/// libauparse with the one record that was last asked about.
@safe
private struct Parser {
  static let shared = Mutex(Parser())

  private var state: OpaquePointer?
  /// The record with a newline and a NUL; empty when there is none.
  private var buffer: [UInt8] = []

  mutating func forget() { buffer = [] }

  mutating func meaning(of name: String, in line: ArraySlice<UInt8>) -> String? {
    if buffer.isEmpty || !buffer.dropLast(2).elementsEqual(line) {
      buffer = line + [UInt8(ascii: "\n"), 0]
      guard load() else {
        buffer = []
        return nil
      }
    }
    guard unsafe auparse_first_record(state) > 0 else { return nil }
    guard unsafe auparse_find_field(state, name) != nil,
      let text = unsafe auparse_interpret_field(state)
    else { return nil }
    let meaning = unsafe String(cString: text)
    return meaning.hasPrefix("unknown-") ? nil : meaning
  }

  mutating func meanings(in line: ArraySlice<UInt8>) -> [Meanings.Found] {
    buffer = line + [UInt8(ascii: "\n"), 0]
    guard load(), unsafe auparse_first_record(state) > 0, unsafe auparse_first_field(state) > 0
    else {
      buffer = []
      return []
    }
    var meanings: [Meanings.Found] = []
    repeat {
      guard let name = unsafe auparse_get_field_name(state) else { continue }
      let raw = unsafe auparse_get_field_str(state)
      let bytes =
        unsafe raw.map { raw in
          unsafe Array(UnsafeRawBufferPointer(start: raw, count: strlen(raw)))
        } ?? []
      guard let text = unsafe auparse_interpret_field(state) ?? raw else { continue }
      unsafe meanings.append(
        Meanings.Found(name: String(cString: name), raw: bytes, meaning: String(cString: text)))
    } while unsafe auparse_next_field(state) > 0
    return meanings
  }

  private mutating func load() -> Bool {
    let count = buffer.count - 1
    return unsafe buffer.withUnsafeBytes { bytes in
      let text = unsafe bytes.baseAddress!.assumingMemoryBound(to: CChar.self)
      if let state = unsafe state {
        guard unsafe auparse_new_buffer(state, text, count) == 0 else { return false }
      } else {
        unsafe state = auparse_init(AUSOURCE_BUFFER, text)
        guard unsafe state != nil else { return false }
        unsafe auparse_set_escape_mode(state, AUPARSE_ESC_RAW)
      }
      return unsafe auparse_next_event(state) > 0
    }
  }
}

import AuditRecord
import CAuparse
import Synchronization

/// What the values of a record mean, through libauparse: names of users, system calls, errors,
/// flags, capabilities, addresses.
///
/// About 5 µs a record and 1 µs a field. Names of users are looked up where the host says so (a
/// directory server perhaps), which may block; a line that auditd enriched needs no look-up.
///
/// libauparse up to 3.x keeps what it read of a record in variables of the whole process: the
/// calls of all interpreters wait for each other.
@safe
public final class Interpreter {
  private var state: OpaquePointer?
  private var buffer: [UInt8] = []
  private static let libauparse = Mutex(())

  public init() {}

  deinit {
    Self.libauparse.withLock { _ in
      // The names of users and groups are kept: all interpreters share them.
      unsafe auparse_destroy_ext(state, AUPARSE_DESTROY_COMMON)
    }
  }

  /// The meaning of a field of a record; `nil` when libauparse has none, does
  /// not know it, or refuses the line.
  public func meaning(of name: String, in record: EventRecord, _ event: AuditEvent) -> String? {
    Self.libauparse.withLock { _ in look(up: name, in: record, event) }
  }

  private func look(up name: String, in record: EventRecord, _ event: AuditEvent) -> String? {
    let line = event.bytes[record.line]
    if buffer.isEmpty || !buffer.dropLast(2).elementsEqual(line) {
      buffer = Array(line)
      buffer.append(UInt8(ascii: "\n"))
      buffer.append(0)
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

  private func load() -> Bool {
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

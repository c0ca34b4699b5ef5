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
    let line = record.lineForLibauparse(in: event.bytes)
    return LibauparseTurn.take(.interpretation) { remembers in
      Parser.shared.withLock { parser in
        if !remembers { parser.forget() }
        return parser.meaning(of: name, in: line)
      }
    }
  }
}

extension Interpreter {
  /// Every field of a record with its meaning, in their order, one look at the record for all.
  ///
  /// What is encoded is decoded; what libauparse does not know, or reads only in part, is as it is
  /// written: an `unknown-…` never replaces a number. What SELinux decided is `seresult` and
  /// `seperms`. The fields that auditd added are not among them: they are the meanings.
  ///
  /// - Parameter words: whether words that belong to no field are given, without a name.
  public func fields(
    of record: EventRecord, in lines: [UInt8], words: Bool = false
  ) -> [(name: [UInt8], meaning: [UInt8])] {
    let line = record.lineForLibauparse(in: lines)
    let found = LibauparseTurn.take(.interpretation) { _ in
      Parser.shared.withLock { $0.meanings(in: line) }
    }
    return Meanings.merged(found, record, lines, words: words)
  }

  /// The same as text, for what is looked at by people.
  public func meanings(
    in record: EventRecord, of lines: [UInt8]
  ) -> [(name: String, meaning: String)] {
    fields(of: record, in: lines).map {
      (String(decoding: $0.name, as: UTF8.self), String(decoding: $0.meaning, as: UTF8.self))
    }
  }

  /// The same, for a record of an event.
  public func meanings(
    in record: EventRecord, _ event: AuditEvent
  ) -> [(name: String, meaning: String)] {
    meanings(in: record, of: event.bytes)
  }
}

extension EventRecord {
  /// The line with no 0x1d but the one in front of what auditd added: libauparse believes what
  /// stands behind the first.
  fileprivate func lineForLibauparse(in bytes: [UInt8]) -> ArraySlice<UInt8> {
    let text = bytes[line]
    guard text.contains(0x1d) else { return text }
    let separator = AddedMeanings.separator(of: bytes.span, from: body, to: line.upperBound)
    var readable = text
    for at in text.indices where text[at] == 0x1d && at != separator { readable[at] = 0x20 }
    return readable
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
    return AddedMeanings.isUnknown(meaning.utf8) ? nil : meaning
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
        Meanings.Found(
          name: Array(String(cString: name).utf8), raw: bytes,
          meaning: Array(UnsafeRawBufferPointer(start: text, count: strlen(text)))))
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

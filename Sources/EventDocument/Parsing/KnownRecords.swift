import AudispatchPlugin
import AuditRecord

/// Records that were read before: the same folders, libraries, programs and addresses come again and
/// again, and only what stands in front of their fields differs.
///
/// Their places count from where the fields begin; those of what was decoded, from where the fields
/// end.
struct KnownRecords: Sendable {
  private struct Known: Sendable {
    var type: UInt32 = 0
    var fields: [UInt8] = []
    /// What was decoded from them.
    var decoded: [UInt8] = []
    var map = FieldMap()
  }

  /// A power of two.
  private static let size = 256
  /// Bytes of a record that is kept, and of what was decoded from it.
  private static let longest = 512
  private var known = [Known](repeating: Known(), count: size)
  private var scratch = DocumentBytes(.escaped)

  private static func place(
    of type: UInt32, _ bytes: borrowing Span<UInt8>, _ body: Range<Int>
  ) -> Int {
    Int(truncatingIfNeeded: (NameKey(bytes, body).bits ^ UInt64(type)) &>> 29) & (size - 1)
  }

  /// Reads a record, if it is known.
  func read(
    _ type: UInt32, _ body: Range<Int>, _ text: inout EventText, into map: inout FieldMap
  ) -> Bool {
    guard body.count <= Self.longest else { return false }
    let place = Self.place(of: type, text.bytes.span, body)
    // Looked at in place: a copy would hold all of its parts.
    let known = known.span
    guard known[place].type == type,
      known[place].fields.span.isSame(as: text.bytes.span.extracting(body))
    else { return false }
    let start = text.bytes.count
    if !known[place].decoded.isEmpty { _ = text.add(known[place].decoded) }
    map.set(to: known[place].map) { part in
      part.moved(by: Int(part.end) <= body.count ? body.lowerBound : start - body.count)
    }
    return true
  }

  /// Keeps a record that was read.
  ///
  /// - Parameter decoded: where the text begins that was decoded from it.
  mutating func keep(
    _ type: UInt32, _ body: Range<Int>, decoded: Int, _ map: inout FieldMap, _ text: inout EventText
  ) {
    guard body.count <= Self.longest, map.entries.count < FieldMap.many,
      text.bytes.count - decoded <= Self.longest
    else { return }
    if type == RecordNumber.path {
      scratch.begin()
      AuditData.writePath(map, text, &scratch)
      map.written = text.add(scratch.bytes)
    }
    let place = Self.place(of: type, text.bytes.span, body)
    known[place].type = type
    known[place].fields = Array(text.bytes[body])
    known[place].decoded = Array(text.bytes[decoded...])
    known[place].map.set(to: map) { part in
      part.moved(by: Int(part.start) < decoded ? -body.lowerBound : body.count - decoded)
    }
  }
}

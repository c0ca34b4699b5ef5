import AuditRecord

extension AuditEvent {
  /// The fields of a record, in their order; use `FieldScanner` where an array is too much.
  public func fields(of record: EventRecord) -> [Field] {
    var scanner = FieldScanner(body: record.body, end: record.line.upperBound)
    var fields: [Field] = []
    while let field = scanner.next(bytes.span) { fields.append(field) }
    return fields
  }

  /// The first field of that name in a record, in any section but the enrichment.
  public func field(_ name: String, of record: EventRecord) -> Field? {
    find(name, of: record, enriched: false)
  }

  /// auditd's interpretation of a field (its name in upper case), if the line has one; `nil` where
  /// auditd found none (`unknown-syscall(-1)`).
  public func enrichment(_ name: String, of record: EventRecord) -> Field? {
    guard let field = find(name, of: record, enriched: true),
      !AddedMeanings.isUnknown(bytes[field.value])
    else { return nil }
    return field
  }

  /// A field's value as bytes: quotes taken off, and hex turned back where the kernel writes it.
  ///
  /// `nil` without the field, and for `(null)`, `(none)`, `?` and an empty value. The bytes are
  /// somebody else's choice: show them through `SafeText`.
  public func value(_ name: String, of record: EventRecord) -> [UInt8]? {
    guard let field = field(name, of: record) else { return nil }
    let raw = bytes[field.value]
    if field.quoting == .none, Self.isAbsent(raw) { return nil }
    return decoded(field, of: record)
  }

  private static func isAbsent(_ raw: ArraySlice<UInt8>) -> Bool {
    if raw.isEmpty || raw.elementsEqual("?".utf8) || raw.elementsEqual("(none)".utf8) {
      return true
    }
    guard raw.starts(with: "(null)".utf8) else { return false }
    // Some logs have lost the 0x1d in front of what auditd added: `key=(null)ARCH=x86_64`.
    return raw.dropFirst(6).first.map { (0x41...0x5a).contains($0) } ?? true
  }

  /// A field's value with its encoding undone.
  ///
  /// What is not in quotes, of a field that the kernel or libaudit may write in hex (see
  /// `EncodedFields`), and consists of pairs of upper-case digits, is hex.
  public func decoded(_ field: Field, of record: EventRecord) -> [UInt8] {
    field.decoded(in: bytes, record.type)
  }

  private func find(_ name: String, of record: EventRecord, enriched: Bool) -> Field? {
    let text = name.utf8Span.span
    let key = NameKey(text, 0..<text.count)
    var scanner = FieldScanner(body: record.body, end: record.line.upperBound)
    while let field = scanner.next(bytes.span) {
      if field.key == key, enriched == (field.section == .enrichment),
        key.isExact || bytes[field.name].elementsEqual(name.utf8)
      {
        return field
      }
    }
    return nil
  }
}

extension Field {
  /// The value with its encoding undone, in a record of that type.
  func decoded(in bytes: [UInt8], _ type: RecordType) -> [UInt8] {
    if quoting == .none, section != .enrichment, let plain = Hex.decode(bytes[value]),
      EncodedFields.contains(bytes[name], type: type)
    {
      return plain
    }
    return Array(bytes[value])
  }
}

/// Pairs of upper-case digits, as the kernel writes bytes that it will not print.
public enum Hex {
  /// In either case.
  public static func isDigit(_ byte: UInt8) -> Bool {
    byte &- 0x30 < 10 || (byte | 0x20) &- 0x61 < 6
  }

  /// The bytes; `nil` when it is anything else.
  public static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
    // What is no digit shows at once, nearly always by its first byte.
    guard !text.isEmpty, text.count.isMultiple(of: 2), text.allSatisfy({ upperDigit($0) < 16 })
    else { return nil }
    return unsafe Array(unsafeUninitializedCapacity: text.count / 2) { bytes, count in
      var high: UInt8?
      for byte in text {
        let digit = upperDigit(byte)
        if let first = high {
          unsafe bytes[count] = first << 4 | digit
          count += 1
          high = nil
        } else {
          high = digit
        }
      }
    }
  }

  /// 16 or more for what is none.
  @inline(__always)
  private static func upperDigit(_ byte: UInt8) -> UInt8 {
    let decimal = byte &- 0x30
    if decimal < 10 { return decimal }
    let letter = byte &- 0x41
    return letter < 6 ? letter + 10 : 16
  }
}

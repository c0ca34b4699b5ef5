import AudispatchPlugin
import AuditRecord

/// Fields that are written as they stand, as nearly all are: room is made once for all of them, and
/// what takes more is left to `LaurelValue`.
enum LaurelRun {
  /// Bytes that a member takes at most beside those of its name and value, and that are written behind
  /// its end: `,"":"0x0"`, and a word of eight.
  private static let around = 18

  /// Writes members from a place on; gives the place of the first one that takes more.
  static func write(
    _ fields: [LaurelField], from start: Int, _ bytes: borrowing Span<UInt8>,
    _ out: inout DocumentBytes
  ) -> Int {
    guard !out.isLimited else { return start }
    let fields = fields.span
    let plain = out.plainness
    var needsComma = out.needsComma
    var place = start
    unsafe bytes.withUnsafeBufferPointer { bytes in
      // Fields do not overlap.
      let room = bytes.count + (fields.count - start) * around
      unsafe out.write(atMost: room) { pen in
        while place < fields.count {
          let field = fields[place]
          if !field.isLeftOut {
            guard unsafe member(field, bytes, plain, needsComma, &pen) else { return }
            needsComma = true
          }
          place += 1
        }
      }
    }
    return place
  }

  /// Writes those that are arguments of a call as items of a list.
  static func writeArguments(
    _ fields: [LaurelField], _ bytes: borrowing Span<UInt8>, _ out: inout DocumentBytes
  ) {
    for field in fields where field.meaning == .argument {
      let value = bytes.extracting(field.value.range)
      let needsComma = out.needsComma
      var isWritten = false
      if !out.isLimited {
        unsafe value.withUnsafeBufferPointer { value in
          unsafe out.write(atMost: value.count + around) { pen in
            let start = unsafe pen
            if needsComma { unsafe pen.byte(0x2c) }
            isWritten = unsafe hexadecimal(value, &pen)
            if !isWritten { unsafe pen = start }
          }
        }
      }
      if !isWritten { LaurelValue.writeHexadecimal(value, &out) }
    }
  }

  /// Writes a member; `false`, with nothing written, for one that takes more.
  @inline(__always)
  private static func member(
    _ field: LaurelField, _ bytes: UnsafeBufferPointer<UInt8>, _ plain: Plainness,
    _ needsComma: Bool, _ pen: inout Pen
  ) -> Bool {
    precondition(field.value.end <= bytes.count, "the field is elsewhere")
    let name = unsafe UnsafeBufferPointer(rebasing: bytes[field.name.range])
    let value = unsafe UnsafeBufferPointer(rebasing: bytes[field.value.range])
    let start = unsafe pen
    unsafe pen.key(name, needsComma)
    let meaning = field.isAdded || field.quoting != .none ? .text : field.meaning
    var isWritten = false
    switch meaning {
    // Names in the table are plain, but one that may only share its key with one of them.
    case .decimal where field.key.isExact: isWritten = unsafe decimal(value, &pen)
    case .hexadecimal where field.key.isExact: isWritten = unsafe hexadecimal(value, &pen)
    case .octal where field.key.isExact: isWritten = unsafe octal(value, &pen)
    case .text, .argument, .own:
      if unsafe field.quoting == .braces || !plain.has(name) { break }
      isWritten = unsafe text(value, isQuoted: field.quoting != .none, plain, &pen)
    default: break
    }
    if !isWritten { unsafe pen = start }
    return isWritten
  }

  @inline(__always)
  private static func text(
    _ value: UnsafeBufferPointer<UInt8>, isQuoted: Bool, _ plain: Plainness,
    _ pen: inout Pen
  ) -> Bool {
    if !isQuoted, let first = unsafe value.first {
      // What may be null, or hexadecimal.
      let isSpecial = first == UInt8(ascii: "?") || first == UInt8(ascii: "(")
      if isSpecial || value.count.isMultiple(of: 2) && EventText.digit(first) != nil {
        return false
      }
    }
    guard unsafe plain.has(value) else { return false }
    unsafe pen.byte(0x22)
    unsafe pen.bytes(value)
    unsafe pen.byte(0x22)
    return true
  }

  /// Digits as they would be written.
  @inline(__always)
  private static func decimal(_ value: UnsafeBufferPointer<UInt8>, _ pen: inout Pen) -> Bool {
    guard unsafe LaurelValue.isCanonical(value.span) else { return false }
    unsafe pen.bytes(value)
    return true
  }

  @inline(__always)
  private static func octal(_ value: UnsafeBufferPointer<UInt8>, _ pen: inout Pen) -> Bool {
    let start = unsafe LaurelValue.behindZeros(value.span)
    guard value.count > 0, value.count - start <= 16 else { return false }
    for place in start..<value.count where unsafe value[place] &- 0x30 >= 8 { return false }
    unsafe pen.word("\"0o")
    if start == value.count { unsafe pen.byte(0x30) }
    unsafe pen.bytes(UnsafeBufferPointer(rebasing: value[start...]))
    unsafe pen.byte(0x22)
    return true
  }

  /// Up to 64 bits without zeros in front, in lower case.
  @inline(__always)
  private static func hexadecimal(_ value: UnsafeBufferPointer<UInt8>, _ pen: inout Pen) -> Bool {
    let start = unsafe LaurelValue.behindZeros(value.span)
    guard value.count > 0, value.count - start <= 16 else { return false }
    unsafe pen.word("\"0x")
    if start == value.count { unsafe pen.byte(0x30) }
    for place in start..<value.count {
      let byte = unsafe value[place]
      guard byte &- 0x30 < 10 || (byte | 0x20) &- 0x61 < 6 else { return false }
      unsafe pen.byte(byte | 0x20)
    }
    unsafe pen.byte(0x22)
    return true
  }
}

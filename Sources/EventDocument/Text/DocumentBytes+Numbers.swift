/// Numbers, as such and as strings that show their base.
extension DocumentBytes {
  mutating func integer(_ value: Int) {
    if notesValues {
      let start = bytes.count
      piece(value)
      return noteNumber(from: start)
    }
    let needsComma = needsComma
    unsafe write(atMost: 22) { pen in
      if needsComma { unsafe pen.byte(0x2c) }
      if value < 0 { unsafe pen.byte(0x2d) }
      unsafe pen.decimal(value.magnitude)
    }
  }

  /// A number that has been checked to be one.
  mutating func digits(_ value: borrowing Span<UInt8>) {
    if notesValues {
      let start = bytes.count
      unsafe value.withUnsafeBufferPointer { unsafe append($0) }
      return noteNumber(from: start)
    }
    let needsComma = needsComma
    unsafe value.withUnsafeBufferPointer { value in
      unsafe write(atMost: value.count + 1) { pen in
        if needsComma { unsafe pen.byte(0x2c) }
        unsafe pen.bytes(value)
      }
    }
  }

  /// A member that is a number, as has been checked.
  mutating func member(_ name: StaticString, digits value: borrowing Span<UInt8>) {
    if notesValues {
      key(name)
      return digits(value)
    }
    let needsComma = needsComma
    unsafe value.withUnsafeBufferPointer { value in
      unsafe write(atMost: name.utf8CodeUnitCount + value.count + 4) { pen in
        unsafe Self.key(&pen, needsComma, name)
        unsafe pen.bytes(value)
      }
    }
  }

  /// Hexadecimal digits as a string behind what tells their base, in lower case.
  mutating func digits(_ base: StaticString, _ digits: borrowing Span<UInt8>) {
    if notesValues { return noteDigits(base, digits) }
    let needsComma = needsComma
    unsafe digits.withUnsafeBufferPointer { digits in
      unsafe write(atMost: base.utf8CodeUnitCount + digits.count + 4) { pen in
        if needsComma { unsafe pen.byte(0x2c) }
        unsafe Self.digits(&pen, base, digits)
      }
    }
  }

  @inline(__always)
  private static func digits(
    _ pen: inout Pen, _ base: StaticString, _ digits: UnsafeBufferPointer<UInt8>
  ) {
    unsafe pen.byte(0x22)
    unsafe pen.word(base)
    if digits.isEmpty { unsafe pen.byte(0x30) }
    for place in 0..<digits.count { unsafe pen.byte(digits[place] | 0x20) }
    unsafe pen.byte(0x22)
  }

  /// A member whose name is plain, with hexadecimal digits behind what tells their base.
  mutating func member(
    plain name: borrowing Span<UInt8>, _ base: StaticString, _ digits: borrowing Span<UInt8>
  ) {
    if notesValues {
      key(name)
      return noteDigits(base, digits)
    }
    let needsComma = needsComma
    unsafe name.withUnsafeBufferPointer { name in
      unsafe digits.withUnsafeBufferPointer { digits in
        let most = name.count + base.utf8CodeUnitCount + digits.count + 7
        unsafe write(atMost: most) { pen in
          unsafe pen.key(name, needsComma)
          unsafe Self.digits(&pen, base, digits)
        }
      }
    }
  }

  /// Digits only.
  mutating func piece(_ value: Int) {
    unsafe write(atMost: 21) { pen in
      if value < 0 { unsafe pen.byte(0x2d) }
      unsafe pen.decimal(value.magnitude)
    }
  }
}

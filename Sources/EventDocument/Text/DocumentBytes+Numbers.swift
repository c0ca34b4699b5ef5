/// Numbers, as such and as strings that show their base.
extension DocumentBytes {
  mutating func integer(_ value: Int) {
    let needsComma = needsComma
    unsafe write(atMost: 22) { pen in
      if needsComma { unsafe pen.byte(0x2c) }
      if value < 0 { unsafe pen.byte(0x2d) }
      unsafe pen.decimal(value.magnitude)
    }
  }

  /// A number that has been checked to be one.
  mutating func digits(_ value: borrowing Span<UInt8>) {
    let needsComma = needsComma
    unsafe value.withUnsafeBufferPointer { value in
      unsafe write(atMost: value.count + 1) { pen in
        if needsComma { unsafe pen.byte(0x2c) }
        unsafe pen.bytes(value)
      }
    }
  }

  /// Hexadecimal digits as a string behind what tells their base, in lower case.
  mutating func digits(_ base: StaticString, _ digits: borrowing Span<UInt8>) {
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
    let needsComma = needsComma
    unsafe name.withUnsafeBufferPointer { name in
      unsafe digits.withUnsafeBufferPointer { digits in
        let most = name.count + base.utf8CodeUnitCount + digits.count + 7
        unsafe write(atMost: most) { pen in
          if needsComma { unsafe pen.byte(0x2c) }
          unsafe pen.byte(0x22)
          unsafe pen.bytes(name)
          unsafe pen.byte(0x22)
          unsafe pen.byte(0x3a)
          unsafe Self.digits(&pen, base, digits)
        }
      }
    }
  }
}

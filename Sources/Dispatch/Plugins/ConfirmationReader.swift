import Journal
import Linux

/// What a plugin writes to say what it is done with: `ok N` and a newline, again and again.
///
/// A value: bytes in, the highest number and what was wrong out. Holds at most one line.
struct ConfirmationReader {
  /// `ok `, twenty digits, carriage return.
  private static let longest = 24

  private var line: [UInt8] = []
  private var skipsLine = false
  /// Lines that were no confirmation.
  private(set) var malformed: UInt64 = 0
  /// The first of them since `takeSample`.
  private var sample: [UInt8]?

  /// - Returns: the highest number among the lines that these bytes complete; `nil` without any.
  mutating func take(_ bytes: some Sequence<UInt8>) -> StreamNumber? {
    var highest: StreamNumber?
    for byte in bytes {
      if byte == 0x0a {
        if !skipsLine {
          if let number = Self.number(line) {
            highest = max(highest ?? number, number)
          } else {
            note()
          }
        }
        line.removeAll(keepingCapacity: true)
        skipsLine = false
      } else if !skipsLine {
        line.append(byte)
        if line.count > Self.longest {
          note()
          skipsLine = true
        }
      }
    }
    return highest
  }

  /// The first malformed line since the last call, fit for a message.
  mutating func takeSample() -> String? {
    defer { sample = nil }
    return sample.map { printable($0) }
  }

  private mutating func note() {
    malformed += 1
    if sample == nil { sample = line }
  }

  private static func number(_ line: [UInt8]) -> StreamNumber? {
    var text = line[...]
    if text.last == 0x0d { text.removeLast() }
    guard text.starts(with: "ok ".utf8) else { return nil }
    let digits = text.dropFirst(3)
    guard !digits.isEmpty, digits.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
    var number: UInt64 = 0
    for digit in digits {
      let (tens, overflows) = number.multipliedReportingOverflow(by: 10)
      let (sum, carries) = tens.addingReportingOverflow(UInt64(digit - 0x30))
      if overflows || carries { return nil }
      number = sum
    }
    return StreamNumber(number)
  }
}

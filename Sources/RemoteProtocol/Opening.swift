/// How a sender of ours begins a connection: a heartbeat whose payload says who it is and which number
/// its next record has. auditd answers a plain acknowledgement and writes nothing; audispatchd
/// answers what it has of that sender.
///
///     audispatch 1 NEXT NAME
///
/// The sequence of each record that follows is the low half of its number, or 0 for a record that
/// has none.
public struct Opening: Equatable, Sendable {
  /// The longest name.
  public static let longestName = 512

  public var name: String
  /// The number of the next record.
  public var next: UInt64

  /// - Parameter name: printable, and not longer than `longestName`.
  public init(name: String, next: UInt64) {
    self.name = name
    self.next = next
  }

  public var payload: [UInt8] { Array("audispatch 1 \(next) \(name)".utf8) }

  /// `nil` for a heartbeat of anybody else.
  public init?(payload: [UInt8]) {
    guard payload.allSatisfy({ $0 >= 0x20 && $0 < 0x7f }) else { return nil }
    let words = String(decoding: payload, as: UTF8.self).split(
      separator: " ", maxSplits: 3, omittingEmptySubsequences: false)
    guard words.count == 4, words[0] == "audispatch", words[1] == "1",
      let next = UInt64(words[2]), (1...Self.longestName).contains(words[3].utf8.count)
    else { return nil }
    name = String(words[3])
    self.next = next
  }

  /// What a receiver has of a sender: everything up to this number that it was sent; `nil`: nothing
  /// is known.
  public static func answer(has number: UInt64?) -> [UInt8] {
    Array((number.map { "audispatch 1 has \($0)" } ?? "audispatch 1 has nothing").utf8)
  }

  /// The number of a record whose low half is in its message's sequence: the one that is nearest
  /// behind `last`, or at most half of all numbers before it.
  public static func number(of sequence: UInt32, near last: UInt64) -> UInt64 {
    let difference = Int32(truncatingIfNeeded: sequence &- UInt32(truncatingIfNeeded: last))
    if difference >= 0 { return last &+ UInt64(difference) }
    let back = UInt64(-Int64(difference))
    // There is nothing before the first number.
    return back <= last ? last - back : UInt64(sequence)
  }
}

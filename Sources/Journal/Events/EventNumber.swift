/// An event, in the order in which events begin.
public struct EventNumber: NumberSpace {
  public let value: UInt64
  @inlinable @inline(__always)
  public init(_ value: UInt64) { self.value = value }

  /// The number of which a record's entry holds the low bits.
  ///
  /// - Parameter next: the number of the next event; the one meant is less than 2³² below it.
  @inline(__always)
  static func expand(_ low: UInt32, next: EventNumber) -> EventNumber {
    EventNumber(next.value &- UInt64(UInt32(truncatingIfNeeded: next.value) &- low))
  }
}

/// How many serials of one node's events are missing: the kernel numbers its events, and those of
/// programs, one after the other, over the end of 32 bits.
///
/// An event that comes late fills its gap. After a jump of more than `window` the node counts as
/// started anew, and nothing as missing. What rules or filters keep away is missing too.
public struct SerialGaps: Sendable {
  private static let window: UInt32 = 1 << 24

  private var newest: UInt32?
  /// Serials that were passed over and have not come since.
  public private(set) var missing = 0

  public init() {}

  /// Takes note of an event; not of a further part of one.
  public mutating func note(_ serial: UInt64) {
    let serial = UInt32(truncatingIfNeeded: serial)
    guard let last = newest else {
      newest = serial
      return
    }
    let ahead = serial &- last
    let behind = last &- serial
    if ahead > 0, ahead < Self.window {
      missing += Int(ahead) - 1
      newest = serial
    } else if behind > 0, behind < Self.window {
      missing = max(missing - 1, 0)
    } else if ahead != 0 {
      newest = serial
    }
  }
}

/// Gives the records of one event one number, in the order in which events begin.
///
/// Remembers the last 1,024 events (some 40 KB, so that they stay in the processor's nearest cache), so that a late record finds its event. Allocates
/// nothing after the start.
public struct EventTracker {
  /// The number of an event; the first is 0.
  public typealias EventNumber = UInt64

  public struct Mark: Equatable, Sendable {
    public var event: EventNumber
    /// Whether it is the first record of its event.
    public var isFirst: Bool

    @inlinable @inline(__always)
    init(event: EventNumber, isFirst: Bool) {
      self.event = event
      self.isFirst = isFirst
    }
  }

  @usableFromInline
  struct Remembered {
    var stamp = RecordStamp(milliseconds: .max, serial: .max)
    var node: UInt32 = 0
    @usableFromInline var event: EventNumber = 0
  }

  private static let capacity = 1024
  private static let buckets = 4096

  private var ring = [Remembered](repeating: Remembered(), count: capacity)
  /// Slot in `ring` + 1, or 0; open addressing with linear probing.
  private var table = [UInt16](repeating: 0, count: buckets)
  @usableFromInline var last = Remembered()
  private var lastSlot = -1

  /// The number that the next new event will have.
  public private(set) var next: EventNumber
  /// The number of the first event noted here.
  private let first: EventNumber

  public init(first: EventNumber = 0) {
    next = first
    self.first = first
  }

  /// Events below this number are forgotten: none of their records is recognised any more.
  public var oldest: EventNumber {
    next - first > UInt64(Self.capacity) ? next - UInt64(Self.capacity) : first
  }

  /// Notes a record and tells its event.
  ///
  /// - Parameter node: a number for the node's name, the same for the same name.
  @inline(__always)
  public mutating func note(_ stamp: RecordStamp, node: UInt32) -> Mark {
    if lastSlot >= 0, last.stamp == stamp, last.node == node {
      return Mark(event: last.event, isFirst: false)
    }
    return noteOther(stamp, node: node)
  }

  /// Notes another record of the event of the record before.
  @inlinable @inline(__always)
  func noteSame() -> Mark {
    Mark(event: last.event, isFirst: false)
  }

  /// Notes a record that has no stamp: an event of its own.
  public mutating func noteUnstamped() -> Mark {
    // A stamp that no record can have, a new one each time.
    insert(RecordStamp(milliseconds: .max, serial: next), node: .max)
    return Mark(event: next - 1, isFirst: true)
  }

  private mutating func noteOther(_ stamp: RecordStamp, node: UInt32) -> Mark {
    var bucket = Self.bucket(stamp, node)
    while table[bucket] != 0 {
      let slot = Int(table[bucket]) - 1
      if ring[slot].stamp == stamp, ring[slot].node == node {
        last = ring[slot]
        lastSlot = slot
        return Mark(event: last.event, isFirst: false)
      }
      bucket = (bucket + 1) % Self.buckets
    }
    insert(stamp, node: node)
    return Mark(event: next - 1, isFirst: true)
  }

  private mutating func insert(_ stamp: RecordStamp, node: UInt32) {
    let slot = Int(next % UInt64(Self.capacity))
    if next - first >= UInt64(Self.capacity) { forget(slot) }
    ring[slot] = Remembered(stamp: stamp, node: node, event: next)
    var bucket = Self.bucket(stamp, node)
    while table[bucket] != 0 { bucket = (bucket + 1) % Self.buckets }
    table[bucket] = UInt16(slot + 1)
    last = ring[slot]
    lastSlot = slot
    next += 1
  }

  /// Takes a slot out of the table and closes the hole that it leaves in its chain.
  private mutating func forget(_ slot: Int) {
    var hole = Self.bucket(ring[slot].stamp, ring[slot].node)
    while table[hole] != UInt16(slot + 1) { hole = (hole + 1) % Self.buckets }
    table[hole] = 0
    var probe = (hole + 1) % Self.buckets
    while table[probe] != 0 {
      let other = ring[Int(table[probe]) - 1]
      let home = Self.bucket(other.stamp, other.node)
      // Move it into the hole unless its home lies behind the hole.
      if (probe - home + Self.buckets) % Self.buckets >= (probe - hole + Self.buckets)
        % Self.buckets
      {
        table[hole] = table[probe]
        table[probe] = 0
        hole = probe
      }
      probe = (probe + 1) % Self.buckets
    }
  }

  @inline(__always)
  private static func bucket(_ stamp: RecordStamp, _ node: UInt32) -> Int {
    var hash = stamp.serial &* 0x9E37_79B9_7F4A_7C15
    hash ^= (stamp.milliseconds &+ UInt64(node) << 32) &* 0xC2B2_AE3D_27D4_EB4F
    return Int(truncatingIfNeeded: hash >> 52)
  }
}

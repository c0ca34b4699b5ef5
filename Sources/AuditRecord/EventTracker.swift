/// Gives the records of one event one number, in the order in which events begin.
///
/// Remembers the last 1,024 events (some 50 KB, so that they stay in the processor's nearest cache),
/// so that a late record finds its event. Allocates nothing after the start.
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

  /// The last events, each at its number modulo the capacity.
  private var ring = [Remembered](repeating: Remembered(), count: capacity)
  /// Slots in `ring` + 1, or 0; open addressing with linear probing. `young` has the events from
  /// `youngStart` on, `old` as many before them. So no event is ever taken out alone: what `old` says
  /// of a slot that was used again is true of the event that is there now, or of none.
  private var young = [UInt16](repeating: 0, count: buckets)
  private var old = [UInt16](repeating: 0, count: buckets)
  private var youngStart: EventNumber
  @usableFromInline var last = Remembered()
  private var lastSlot = -1

  /// The number that the next new event will have.
  public private(set) var next: EventNumber
  /// The number of the first event noted here.
  private let first: EventNumber

  public init(first: EventNumber = 0) {
    next = first
    self.first = first
    youngStart = first
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
    return noteOther(RecordStamp(milliseconds: .max, serial: next), node: .max)
  }

  private mutating func noteOther(_ stamp: RecordStamp, node: UInt32) -> Mark {
    let home = Self.bucket(stamp, node)
    let free: Int
    switch Self.find(stamp, node, in: young, ring, from: home) {
    case .slot(let slot): return noteAgain(slot)
    case .free(let bucket): free = bucket
    }
    if case .slot(let slot) = Self.find(stamp, node, in: old, ring, from: home) {
      return noteAgain(slot)
    }
    insert(stamp, node: node, bucket: free)
    return Mark(event: next - 1, isFirst: true)
  }

  @inline(__always)
  private mutating func noteAgain(_ slot: Int) -> Mark {
    last = ring[slot]
    lastSlot = slot
    return Mark(event: last.event, isFirst: false)
  }

  private enum Place {
    case slot(Int)
    /// Where it would be put.
    case free(Int)
  }

  @inline(__always)
  private static func find(
    _ stamp: RecordStamp, _ node: UInt32, in table: [UInt16], _ ring: [Remembered], from home: Int
  ) -> Place {
    var bucket = home
    while table[bucket] != 0 {
      let slot = Int(table[bucket]) - 1
      if ring[slot].stamp == stamp, ring[slot].node == node { return .slot(slot) }
      bucket = (bucket + 1) % buckets
    }
    return .free(bucket)
  }

  @inline(__always)
  private mutating func insert(_ stamp: RecordStamp, node: UInt32, bucket: Int) {
    let slot = Int(next % UInt64(Self.capacity))
    last = Remembered(stamp: stamp, node: node, event: next)
    lastSlot = slot
    ring[slot] = last
    young[bucket] = UInt16(slot + 1)
    next += 1
    if next - youngStart == UInt64(Self.capacity) { age() }
  }

  private mutating func age() {
    swap(&young, &old)
    for bucket in young.indices { young[bucket] = 0 }
    youngStart = next
  }

  @inline(__always)
  private static func bucket(_ stamp: RecordStamp, _ node: UInt32) -> Int {
    var hash = stamp.serial &* 0x9E37_79B9_7F4A_7C15
    hash ^= (stamp.milliseconds &+ UInt64(node) << 32) &* 0xC2B2_AE3D_27D4_EB4F
    return Int(truncatingIfNeeded: hash >> 52)
  }
}

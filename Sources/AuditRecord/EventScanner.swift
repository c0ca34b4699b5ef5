/// Tells of each record in a stream which event it belongs to.
///
/// Most records follow another one of the same event: their stamp is compared with the previous
/// one's as bytes, and nothing is parsed. Allocates nothing for a record.
public struct EventScanner {
  @usableFromInline var tracker: EventTracker
  private var types = TypeNames()
  private var nodes = NodeNumbers()
  /// The previous record's `audit(SECONDS.MILLISECONDS:SERIAL)`, with the colon behind it,
  /// if that is at most 32 bytes long and no node was named; of the same sender.
  @usableFromInline var previous = SIMD4<UInt64>()
  /// The bytes of `previous` that count; all zero for none.
  @usableFromInline var mask = SIMD4<UInt64>()
  @usableFromInline var hasPrevious = false

  /// - Parameter firstEvent: the number of the first event.
  public init(firstEvent: EventTracker.EventNumber = 0) {
    tracker = EventTracker(first: firstEvent)
  }

  /// Events begun so far; the number that the next one will have.
  public var next: EventTracker.EventNumber { tracker.next }
  /// Events below this number can get no further record.
  public var oldest: EventTracker.EventNumber { tracker.oldest }

  /// Who sends what is noted from now on; empty for this host. What two send is never one event.
  public mutating func begin(sender: [UInt8]) {
    if nodes.begin(sender: sender) { hasPrevious = false }
  }

  /// `type=NAME msg=`, which stands before the kernel's bare text in a line.
  @inline(__always)
  public mutating func prefix(of type: UInt32) -> [UInt8] { types.prefix(of: type) }

  /// Notes a record.
  ///
  /// - Parameters:
  ///   - payload: the record without framing.
  ///   - type: the type in the binary header; for a line it becomes the one that its name stands for.
  @inlinable @inline(__always)
  public mutating func note(
    _ payload: Span<UInt8>, form: RecordFrame.Form, type: inout UInt32
  ) -> EventTracker.Mark {
    if form == .finished, let end = payload.plainTypeEnd(from: 0),
      isSameStamp(payload, at: end &+ 5)
    {
      return tracker.noteSame()
    }
    return noteOther(payload, form: form, type: &type)
  }

  @usableFromInline
  mutating func noteOther(
    _ payload: Span<UInt8>, form: RecordFrame.Form, type: inout UInt32
  ) -> EventTracker.Mark {
    if form == .bare {
      if isSameStamp(payload, at: 0) { return tracker.noteSame() }
      return noteBare(payload)
    }
    if let end = payload.plainTypeEnd(from: 0) {
      if form == .line { type = types.number(of: payload.extracting(5..<end)) }
      if isSameStamp(payload, at: end + 5) { return tracker.noteSame() }
      var at = end + 5
      if let stamp = RecordStamp(payload, at: &at), at < payload.count, payload[at] == 0x3a {
        remember(payload, end + 5..<at + 1)
        return tracker.note(stamp, node: nodes.unnamed())
      }
    }
    return noteLine(payload, form: form, type: &type)
  }

  /// Whether the stamp at a place of a record without a node is the previous one's.
  @inlinable @inline(__always)
  func isSameStamp(_ bytes: Span<UInt8>, at position: Int) -> Bool {
    guard hasPrevious, bytes.count - position >= 32 else { return false }
    let words = unsafe bytes.withUnsafeBytes { raw in
      unsafe raw.loadUnaligned(fromByteOffset: position, as: SIMD4<UInt64>.self)
    }
    return (words ^ previous) & mask == .zero
  }

  private mutating func noteBare(_ payload: Span<UInt8>) -> EventTracker.Mark {
    var at = 0
    guard let stamp = RecordStamp(payload, at: &at) else { return noteUnstamped() }
    hasPrevious = false
    if at < payload.count, payload[at] == 0x3a { remember(payload, 0..<at + 1) }
    return tracker.note(stamp, node: nodes.unnamed())
  }

  private mutating func noteLine(
    _ payload: Span<UInt8>, form: RecordFrame.Form, type: inout UInt32
  ) -> EventTracker.Mark {
    guard let header = RecordHeader(payload) else { return noteUnstamped() }
    if form == .line { type = types.number(of: payload.extracting(header.typeName)) }
    let node: UInt32
    hasPrevious = false
    if let name = header.node {
      node = nodes.number(of: payload.extracting(name))
    } else {
      node = nodes.unnamed()
      remember(payload, header.stampPlace.lowerBound..<header.stampPlace.upperBound + 1)
    }
    return tracker.note(header.stamp, node: node)
  }

  private mutating func noteUnstamped() -> EventTracker.Mark {
    hasPrevious = false
    return tracker.noteUnstamped()
  }

  private mutating func remember(_ bytes: Span<UInt8>, _ stamp: Range<Int>) {
    hasPrevious = stamp.count <= 32 && bytes.count - stamp.lowerBound >= 32
    guard hasPrevious else { return }
    previous = unsafe bytes.withUnsafeBytes { raw in
      unsafe raw.loadUnaligned(fromByteOffset: stamp.lowerBound, as: SIMD4<UInt64>.self)
    }
    for word in 0..<4 {
      let counted = min(max(stamp.count &- word &* 8, 0), 8)
      mask[word] = UInt64.max >> UInt64(64 &- 8 &* counted)
    }
  }
}

/// A number for each node's name of each sender; 0 is for none, of this host. None is used twice.
struct NodeNumbers {
  /// A stream of invented names must not fill the memory: beyond these they are forgotten.
  private static let most = 65_536

  /// By what the names hash to, so that long ones take no more room than short ones. Nobody outside knows
  /// this process's way to hash.
  private var numbers: [Int: UInt32] = [:]
  private var next: UInt32 = 1
  /// In front of each name: this host has none.
  private var sender: [UInt8] = []
  /// That of the records that name no node, once it is known.
  private var ofUnnamed: UInt32? = 0
  private var last: [UInt8] = []
  private var lastNumber: UInt32 = 0

  /// - Returns: whether it is another sender than before.
  mutating func begin(sender name: [UInt8]) -> Bool {
    guard !sender.dropLast().elementsEqual(name) else { return false }
    sender = name.isEmpty ? [] : name + [0]
    ofUnnamed = name.isEmpty ? 0 : nil
    lastNumber = 0
    return true
  }

  /// For a record that names no node.
  @inline(__always)
  mutating func unnamed() -> UInt32 {
    if let ofUnnamed { return ofUnnamed }
    let number = number(sender)
    ofUnnamed = number
    return number
  }

  mutating func number(of name: Span<UInt8>) -> UInt32 {
    if name.count == last.count, lastNumber != 0 {
      var same = true
      for i in 0..<name.count where name[i] != last[i] {
        same = false
        break
      }
      if same { return lastNumber }
    }
    last.removeAll(keepingCapacity: true)
    for i in 0..<name.count { last.append(name[i]) }
    lastNumber = number(sender + last)
    return lastNumber
  }

  private mutating func number(_ name: [UInt8]) -> UInt32 {
    let key = name.hashValue
    if let number = numbers[key] { return number }
    if numbers.count >= Self.most { numbers.removeAll() }
    defer { next = next == .max ? 1 : next + 1 }
    numbers[key] = next
    return next
  }
}

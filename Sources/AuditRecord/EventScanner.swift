/// Tells of each record in a stream which event it belongs to.
///
/// Most records follow another one of the same event: their stamp is compared with the previous
/// one's as bytes, and nothing is parsed. Allocates nothing for a record.
public struct EventScanner {
  @usableFromInline var tracker: EventTracker
  private var types = TypeNames()
  private var nodes = NodeNumbers()
  /// The previous record's `audit(SECONDS.MILLISECONDS:SERIAL)`, with the colon behind it,
  /// if that is at most 32 bytes long and no node was named.
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
        return tracker.note(stamp, node: 0)
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
    return tracker.note(stamp, node: 0)
  }

  private mutating func noteLine(
    _ payload: Span<UInt8>, form: RecordFrame.Form, type: inout UInt32
  ) -> EventTracker.Mark {
    guard let header = RecordHeader(payload) else { return noteUnstamped() }
    if form == .line { type = types.number(of: payload.extracting(header.typeName)) }
    var node: UInt32 = 0
    hasPrevious = false
    if let name = header.node {
      node = nodes.number(of: payload.extracting(name))
    } else {
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

/// A small number for each node's name; 0 is for none.
struct NodeNumbers {
  /// A stream of invented names must not fill the memory: beyond these they start over.
  private static let most = 16_384
  /// A name of DNS has 253 bytes at most. Of a longer one its beginning counts, and a hash of all.
  private static let longest = 255

  private var names: [[UInt8]: UInt32] = [:]
  private var given: UInt32 = 0
  private var last: [UInt8] = []
  private var lastNumber: UInt32 = 0

  mutating func number(of name: Span<UInt8>) -> UInt32 {
    if name.count == last.count, lastNumber != 0 {
      var same = true
      for i in 0..<name.count where name[i] != last[i] {
        same = false
        break
      }
      if same { return lastNumber }
    }
    let key = Self.key(of: name)
    last.removeAll(keepingCapacity: true)
    for i in 0..<name.count { last.append(name[i]) }
    lastNumber = names[key] ?? add(key)
    return lastNumber
  }

  private mutating func add(_ key: [UInt8]) -> UInt32 {
    if names.count >= Self.most { names.removeAll() }
    given = given == .max ? 1 : given + 1
    names[key] = given
    return given
  }

  private static func key(of name: Span<UInt8>) -> [UInt8] {
    var key: [UInt8] = []
    let count = min(name.count, longest)
    key.reserveCapacity(count + 8)
    for i in 0..<count { key.append(name[i]) }
    guard name.count > longest else { return key }
    // FNV-1a.
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for i in 0..<name.count { hash = (hash ^ UInt64(name[i])) &* 0x100_0000_01B3 }
    for shift in 0..<8 { key.append(UInt8(truncatingIfNeeded: hash >> UInt64(8 * shift))) }
    return key
  }
}

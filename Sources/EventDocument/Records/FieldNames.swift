import AudispatchPlugin

/// The names that fields have, each once, whether or not a reader knows upper case from lower.
public struct FieldNames: Sendable {
  private struct Known: Sendable {
    var key: NameKey
    var place: Text
  }

  /// The names in lower case, one behind another.
  private var bytes: [UInt8] = []
  private var known: [Known] = []
  private var filter = NameFilter()
  /// Keys of the names, once there are so many that looking at each would take long.
  private var seen: Set<NameKey> = []
  private static let many = 64
  /// The last number of names that came again, by the places of those in `known`.
  private var numbers: [Int: Int] = [:]

  /// - Parameter reserved: names that no field may have.
  public init(reserved: [String] = []) {
    for name in reserved { _ = number(of: Array(name.utf8).span) }
  }

  mutating func removeAll() {
    bytes.removeAll(keepingCapacity: true)
    known.removeAll(keepingCapacity: true)
    filter.removeAll()
    if !seen.isEmpty { seen.removeAll() }
    if !numbers.isEmpty { numbers.removeAll() }
  }

  /// Takes a name, or, when it is taken, the first of `NAME_2`, `NAME_3`, … that is not: its number;
  /// 1 for the name itself.
  public mutating func number(of name: borrowing Span<UInt8>) -> Int {
    let start = bytes.count
    appendLower(name)
    guard let place = take(from: start) else { return 1 }
    var number = numbers[place] ?? 1
    repeat {
      number += 1
      bytes.removeLast(bytes.count - start)
      appendLower(name)
      bytes += "_\(number)".utf8
    } while take(from: start) != nil
    numbers[place] = number
    return number
  }

  private mutating func appendLower(_ name: borrowing Span<UInt8>) {
    let start = bytes.count
    unsafe name.withUnsafeBufferPointer { unsafe bytes.append(contentsOf: $0) }
    for at in start..<bytes.count where bytes[at] &- 0x41 < 26 { bytes[at] |= 0x20 }
  }

  /// Makes the name known that stands there, up to the end; where it is known if it was already.
  private mutating func take(from start: Int) -> Int? {
    let place = Text(start..<bytes.count)
    let key = NameKey(bytes.span, place.range)
    if filter.insert(key), let known = find(key, place) { return known }
    known.append(Known(key: key, place: place))
    if known.count == Self.many {
      for name in known { seen.insert(name.key) }
    } else if known.count > Self.many {
      seen.insert(key)
    }
    return nil
  }

  private func find(_ key: NameKey, _ place: Text) -> Int? {
    if known.count >= Self.many, !seen.contains(key) { return nil }
    return known.firstIndex { name in
      name.key == key && (key.isExact || bytes[name.place.range] == bytes[place.range])
    }
  }
}

/// Which sender has which slot of a ledger, and who makes room for another one; a value.
///
/// Senders are of owners: the addresses that they come from, or what they are called over TLS. Those of a
/// network of IPv6 (/64), where one host has as many addresses as it wants, are one. Where no slot is free,
/// the owner that has the most makes room, with that of its senders that was silent for the longest. So
/// whoever invents names has its own forgotten, and nobody else's.
struct SenderSlots {
  private let count: Int
  private(set) var slotOf: [[UInt8]: Int] = [:]
  private var keys: [[UInt8]?]
  /// Lowest last.
  private var free: [Int]
  /// When a slot was used last, in uses.
  private var used: [UInt64]
  private var uses: UInt64 = 0
  /// Numbers of owners, and how many slots each has.
  private var owners: [[UInt8]: Int] = [:]
  private var shares: [Int] = []
  private var freeOwners: [Int] = []
  private var ownerOf: [Int]
  /// Who was asked for last: most records follow one of the same sender.
  private var latest: (key: [UInt8], slot: Int)?

  init(count: Int) {
    self.count = count
    keys = [[UInt8]?](repeating: nil, count: count)
    free = Array((0..<count).reversed())
    used = [UInt64](repeating: 0, count: count)
    ownerOf = [Int](repeating: -1, count: count)
  }

  var taken: [Int] { slotOf.values.sorted() }

  func key(in slot: Int) -> [UInt8]? { keys[slot] }

  /// The slot of a sender, which is used now.
  mutating func use(_ key: [UInt8]) -> Int? {
    let slot: Int
    if let latest, latest.key == key {
      slot = latest.slot
    } else {
      guard let found = slotOf[key] else { return nil }
      slot = found
      latest = (key, slot)
    }
    uses += 1
    used[slot] = uses
    return slot
  }

  /// A sender has that slot, as somebody has left it.
  mutating func adopt(_ key: [UInt8], in slot: Int) {
    guard keys[slot] == nil, slotOf[key] == nil else { return }
    free.removeAll { $0 == slot }
    put(key, in: slot)
  }

  /// Gives a slot to a sender that has none.
  ///
  /// - Returns: the slot, and whether another one is forgotten for it.
  mutating func take(_ key: [UInt8]) -> (slot: Int, isOthers: Bool) {
    if let slot = free.popLast() {
      put(key, in: slot)
      return (slot, false)
    }
    let slot = victim(for: owners[Self.owner(of: key)])
    remove(slot)
    put(key, in: slot)
    return (slot, true)
  }

  private mutating func put(_ key: [UInt8], in slot: Int) {
    keys[slot] = key
    slotOf[key] = slot
    let owner = number(of: Self.owner(of: key))
    ownerOf[slot] = owner
    shares[owner] += 1
    uses += 1
    used[slot] = uses
  }

  private mutating func remove(_ slot: Int) {
    guard let key = keys[slot] else { return }
    if latest?.slot == slot { latest = nil }
    keys[slot] = nil
    slotOf[key] = nil
    let owner = ownerOf[slot]
    ownerOf[slot] = -1
    shares[owner] -= 1
    guard shares[owner] == 0 else { return }
    owners[Self.owner(of: key)] = nil
    freeOwners.append(owner)
  }

  /// Whose slot goes to a sender of that owner, which has none yet if it is `nil`.
  private func victim(for owner: Int?) -> Int {
    func share(_ slot: Int) -> Int { shares[ownerOf[slot]] + (ownerOf[slot] == owner ? 1 : 0) }
    var found = 0
    for slot in 1..<count {
      let (one, other) = (share(slot), share(found))
      if one > other || one == other && used[slot] < used[found] { found = slot }
    }
    return found
  }

  private mutating func number(of owner: [UInt8]) -> Int {
    if let number = owners[owner] { return number }
    let number: Int
    if let former = freeOwners.popLast() {
      number = former
    } else {
      number = shares.count
      shares.append(0)
    }
    owners[owner] = number
    return number
  }

  /// Whose a sender is: the second word of what it is known by.
  static func owner(of key: [UInt8]) -> [UInt8] {
    let words = key.split(separator: 0x20, maxSplits: 2, omittingEmptySubsequences: false)
    guard words.count > 1 else { return key }
    return isVersion6(words[1]) ? network(of: words[1]) : Array(words[1])
  }

  /// Over TLS it is an identity, which may have colons, too.
  private static func isVersion6(_ text: ArraySlice<UInt8>) -> Bool {
    text.contains(UInt8(ascii: ":"))
      && text.allSatisfy { byte in
        byte &- 0x30 < 10 || (byte | 0x20) &- 0x61 < 6 || byte == UInt8(ascii: ":")
          || byte == UInt8(ascii: ".")
      }
  }

  /// The first four of an address's eight groups, of which `::` stands for as many zeroes as are missing.
  private static func network(of address: ArraySlice<UInt8>) -> [UInt8] {
    let colon = UInt8(ascii: ":")
    let gap = address.indices.dropLast().first { address[$0] == colon && address[$0 + 1] == colon }
    let head = address[..<(gap ?? address.endIndex)].split(separator: colon)
    let tail = gap.map { address[$0...].split(separator: colon) } ?? []
    let zero = ArraySlice([UInt8(ascii: "0")])
    let zeroes = [ArraySlice<UInt8>](repeating: zero, count: max(0, 8 - head.count - tail.count))
    return Array((head + zeroes + tail).prefix(4).joined(separator: [colon]))
  }
}

/// What was stored of each sender last, so that what comes again is recognised. It lies in memory that
/// outlives whoever writes it, at whatever moment that dies; and what is in the log stands in a file
/// beside it, too, for when nobody has that memory any more (`SenderLedger+File.swift`).
///
/// A sender of ours numbers its records. The latest 2,048 numbers of each have an entry with the
/// record's digest: what comes with the same number and is the same text is a repeat, and nothing
/// else is. So a sender that counts anew, as its queue was lost, loses no record by it.
///
/// audisp-remote numbers nothing that goes on from one connection to the next, and has one record on
/// its way at most. There the last record of each of the latest eight connections has an entry: the
/// first record of a new connection that is one of these is a repeat. Several hosts may share an
/// address: each has its own connection.
///
/// An entry may stand in front of its record: it says at which place of the log the record is to be.
/// After a death `forget` drops those whose record the log does not have. What no log has dies with the
/// process that has it, and has to be stored again.
///
///     slot   0     2 bytes: length of the key, 0 for a free slot; behind it the key
///            1024  2,048 entries of 24 bytes: number, place, digest
///
/// Behind the slots memory, and not the file, has two flags of 8 bytes: whether all of the file is there,
/// and whether there is a record that no log has.
///
/// Numbers are in this machine's order. A place is 0 where there is no log, else the record's number
/// in the log, plus one.
@safe
public final class SenderLedger {
  /// Senders that are remembered; who makes room for another one, `SenderSlots` says.
  public static let slots = 1024
  public static let entries = 2048
  static let recentConnections: UInt64 = 8
  static let longestKey = 1022
  static let entrySize = 24
  public static let slotSize = 1024 + entries * entrySize
  /// The memory that it needs.
  public static let byteCount = slots * slotSize + 16

  private let memory: UnsafeMutableRawPointer
  private(set) var slots = SenderSlots(count: SenderLedger.slots)
  /// How many this process forgot, to remember others: what comes again of them is not known any more.
  public private(set) var forgotten: UInt64 = 0
  /// What the file does not have yet.
  var writing = LedgerWriting()
  /// Something was noted by this process.
  private(set) var hasNoted = false

  /// Goes on with what another process has left there.
  ///
  /// - Parameter memory: of `byteCount` bytes, which outlive this; all zero for nothing.
  public init(_ memory: UnsafeMutableRawPointer) {
    unsafe self.memory = memory
    for slot in 0..<Self.slots { key(in: slot).map { slots.adopt($0, in: slot) } }
    if hasUnlogged { forget(in: slots.taken) { $0 == 0 } }
    hasUnlogged = false
  }

  func key(in slot: Int) -> [UInt8]? {
    let length = Int(unsafe at(slot).loadUnaligned(as: UInt16.self))
    guard (1...Self.longestKey).contains(length) else { return nil }
    return unsafe [UInt8](
      UnsafeRawBufferPointer(start: UnsafeRawPointer(at(slot)) + 2, count: length))
  }

  public var senders: Int { slots.slotOf.count }

  /// Whether all is here that the file had.
  public internal(set) var hasRead: Bool {
    get { flag(0) }
    set { setFlag(0, newValue) }
  }

  private var hasUnlogged: Bool {
    get { flag(1) }
    set { if newValue != flag(1) { setFlag(1, newValue) } }
  }

  private func flag(_ index: Int) -> Bool {
    unsafe at(Self.slots).loadUnaligned(fromByteOffset: 8 * index, as: UInt64.self) == 1
  }

  private func setFlag(_ index: Int, _ value: Bool) {
    unsafe at(Self.slots).storeBytes(of: value ? 1 : 0, toByteOffset: 8 * index, as: UInt64.self)
  }

  /// Takes a slot as the file has it; not where another sender has it by now, or that sender another.
  func adopt(_ slot: Int, _ bytes: [UInt8]) {
    guard key(in: slot) == nil, bytes.count == Self.slotSize else { return }
    unsafe bytes.withUnsafeBytes { bytes in
      unsafe (at(slot) + 2).copyMemory(from: bytes.baseAddress! + 2, byteCount: bytes.count - 2)
      // Last, so that no slot that was half read is one.
      unsafe at(slot).storeBytes(of: bytes.loadUnaligned(as: UInt16.self), as: UInt16.self)
    }
    guard let key = key(in: slot), slots.slotOf[key] == nil else {
      return unsafe at(slot).storeBytes(of: 0, as: UInt16.self)
    }
    slots.adopt(key, in: slot)
  }

  /// Drops what the log does not have.
  ///
  /// - Parameters:
  ///   - end: behind the log's last record, in the log's own numbers.
  ///   - chosen: of which senders; `nil`: of all.
  func forget(placesFrom end: UInt64, in chosen: Set<Int>? = nil) {
    forget(in: chosen ?? Set(slots.taken)) { $0 == 0 || $0 > end }
  }

  private func forget(in slots: some Sequence<Int>, _ isGone: (_ place: UInt64) -> Bool) {
    for slot in slots {
      for index in 0..<Self.entries {
        let entry = entry(slot, index)
        if entry.number != 0, isGone(entry.place) {
          set(slot, index, number: 0, place: 0, digest: 0)
        }
      }
    }
  }

  // MARK: A sender of ours

  /// What senders are known by whose key ends so. It looks at all of them.
  public func keys(endingIn end: [UInt8]) -> [[UInt8]] {
    slots.slotOf.keys.filter { $0.count >= end.count && $0.suffix(end.count) == end[...] }
  }

  /// Whether this record of it was stored before.
  public func has(_ key: [UInt8], number: UInt64, _ text: [UInt8]) -> Bool {
    guard let slot = slot(of: key) else { return false }
    let entry = entry(slot, Self.index(number))
    return entry.number == number && number > 0 && entry.digest == Self.digest(text)
  }

  /// A record without a number, 0, cannot be known again, and leaves no trace.
  public func note(_ key: [UInt8], number: UInt64, _ text: [UInt8], place: UInt64) {
    guard number > 0 else { return }
    notes(place)
    set(takeSlot(key), Self.index(number), number: number, place: place, digest: Self.digest(text))
  }

  private func notes(_ place: UInt64) {
    hasNoted = true
    if place == 0 { hasUnlogged = true }
  }

  /// The record turned out not to be stored.
  public func drop(_ key: [UInt8], number: UInt64) {
    guard let slot = slot(of: key), entry(slot, Self.index(number)).number == number else { return }
    set(slot, Self.index(number), number: 0, place: 0, digest: 0)
  }

  /// The highest number that is there of it; `nil`: none.
  public func last(of key: [UInt8]) -> UInt64? {
    guard let slot = slot(of: key) else { return nil }
    let last = (0..<Self.entries).reduce(0) { max($0, entry(slot, $1).number) }
    return last > 0 ? last : nil
  }

  // MARK: audisp-remote

  /// Whether a record, the first of a connection, is the last of a former one.
  public func hasLast(_ key: [UInt8], _ text: [UInt8]) -> Bool {
    guard let slot = slot(of: key) else { return false }
    let (digest, second) = (Self.digest(text), Self.secondDigest(text))
    return (0..<Int(Self.recentConnections)).contains {
      let entry = entry(slot, $0)
      return entry.digest == digest && entry.number == second
    }
  }

  /// Notes the latest record of a connection.
  public func noteLast(_ key: [UInt8], connection: UInt64, _ text: [UInt8], place: UInt64) {
    notes(place)
    set(
      takeSlot(key), Int(connection % Self.recentConnections), number: Self.secondDigest(text),
      place: place, digest: Self.digest(text))
  }

  /// What was noted last of a connection turned out not to be stored.
  public func dropLast(_ key: [UInt8], connection: UInt64) {
    guard let slot = slot(of: key) else { return }
    set(slot, Int(connection % Self.recentConnections), number: 0, place: 0, digest: 0)
  }

  // MARK: The memory

  func at(_ slot: Int) -> UnsafeMutableRawPointer {
    unsafe memory + slot * Self.slotSize
  }

  private static func index(_ number: UInt64) -> Int { Int(number % UInt64(entries)) }

  func entry(_ slot: Int, _ index: Int) -> (number: UInt64, place: UInt64, digest: UInt64) {
    let place = unsafe at(slot) + 1024 + index * Self.entrySize
    return unsafe (
      place.loadUnaligned(as: UInt64.self),
      place.loadUnaligned(fromByteOffset: 8, as: UInt64.self),
      place.loadUnaligned(fromByteOffset: 16, as: UInt64.self)
    )
  }

  /// The number is stored last: an entry that was half written is of no number that could come.
  private func set(_ slot: Int, _ index: Int, number: UInt64, place: UInt64, digest: UInt64) {
    let entry = unsafe at(slot) + 1024 + index * Self.entrySize
    unsafe entry.storeBytes(of: 0, as: UInt64.self)
    unsafe entry.storeBytes(of: place, toByteOffset: 8, as: UInt64.self)
    unsafe entry.storeBytes(of: digest, toByteOffset: 16, as: UInt64.self)
    unsafe entry.storeBytes(of: number, as: UInt64.self)
    writing.note(slot, index)
  }

  private func slot(of key: [UInt8]) -> Int? {
    slots.use(Self.fitting(key))
  }

  /// The slot of a sender, which from now on is its own.
  private func takeSlot(_ key: [UInt8]) -> Int {
    if let slot = slot(of: key) { return slot }
    let key = Self.fitting(key)
    let (slot, isOthers) = slots.take(key)
    if isOthers { forgotten += 1 }
    writing.noteWhole(slot)
    unsafe at(slot).storeBytes(of: 0, as: UInt16.self)
    unsafe (at(slot) + 1024).initializeMemory(
      as: UInt8.self, repeating: 0, count: Self.slotSize - 1024)
    unsafe key.withUnsafeBytes {
      unsafe (at(slot) + 2).copyMemory(from: $0.baseAddress!, byteCount: $0.count)
    }
    unsafe at(slot).storeBytes(of: UInt16(key.count), as: UInt16.self)
    return slot
  }

  private static func fitting(_ key: [UInt8]) -> [UInt8] {
    key.isEmpty ? [0] : key.count <= longestKey ? key : Array(key.prefix(longestKey))
  }

  // MARK: Digests

  static func digest(_ text: [UInt8]) -> UInt64 { mix(text, 0x9e37_79b9_7f4a_7c15) }
  /// Never 0, which stands for nothing.
  static func secondDigest(_ text: [UInt8]) -> UInt64 { mix(text, 0xc2b2_ae3d_27d4_eb4f) | 1 }

  private static func mix(_ text: [UInt8], _ seed: UInt64) -> UInt64 {
    var hash = seed ^ UInt64(text.count) &* 0xff51_afd7_ed55_8ccd
    unsafe text.withUnsafeBytes { bytes in
      var at = 0
      while at < bytes.count {
        var word: UInt64 = 0
        if at + 8 <= bytes.count {
          word = unsafe bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self)
        } else {
          for index in at..<bytes.count { word = unsafe word << 8 | UInt64(bytes[index]) }
        }
        let product = (hash ^ word).multipliedFullWidth(by: 0xa076_1d64_78bd_642f)
        hash = product.high ^ product.low ^ hash << 17 ^ word
        at += 8
      }
    }
    hash ^= hash >> 33
    hash = hash &* 0xff51_afd7_ed55_8ccd
    return hash ^ hash >> 33
  }
}

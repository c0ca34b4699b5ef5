/// Figures by name, in memory that can be a file's: what is in it survives the death of whoever writes
/// it, at whatever moment.
///
///     slot   0     2 bytes: length of the name, 0 for a free slot; behind it the name
///            448   8 figures of 8 bytes
///
/// Numbers are in this machine's order.
@safe
public final class FigureLedger {
  /// A thousand peers, and the places that they connect to.
  public static let slots = 1088
  public static let longestName = 446
  public static let figures = 8
  private static let slotSize = 512
  /// The memory that it needs.
  public static let byteCount = slots * slotSize

  private let memory: UnsafeMutableRawPointer
  private var slotOf: [String: Int] = [:]
  /// In the order of their slots, which are taken one after the other.
  public private(set) var names: [String] = []

  /// Reads what is there.
  ///
  /// - Parameter memory: of `byteCount` bytes, which outlive this; all zero for nothing.
  public init(_ memory: UnsafeMutableRawPointer) {
    unsafe self.memory = memory
    for slot in 0..<Self.slots {
      let length = Int(unsafe at(slot).loadUnaligned(as: UInt16.self))
      guard (1...Self.longestName).contains(length) else { break }
      let bytes = unsafe UnsafeRawBufferPointer(
        start: UnsafeRawPointer(at(slot)) + 2, count: length)
      let name = unsafe String(decoding: bytes, as: UTF8.self)
      slotOf[name] = slot
      names.append(name)
    }
  }

  /// Forgets all.
  public func clear() {
    // The last one first: behind a free slot nobody looks for names.
    for slot in names.indices.reversed() { unsafe at(slot).storeBytes(of: 0, as: UInt16.self) }
    slotOf = [:]
    names = []
  }

  /// What was kept by that name.
  public func figures(of name: String) -> [UInt64]? {
    slotOf[name].map { slot in
      (0..<Self.figures).map {
        unsafe at(slot).loadUnaligned(fromByteOffset: 448 + 8 * $0, as: UInt64.self)
      }
    }
  }

  /// Keeps figures; without room for another name they are not kept.
  public func store(_ figures: [UInt64], as name: String) {
    let slot = slotOf[name] ?? names.count
    guard slot < Self.slots, !name.isEmpty, name.utf8.count <= Self.longestName else { return }
    for place in 0..<Self.figures {
      let figure = figures.indices.contains(place) ? figures[place] : 0
      unsafe at(slot).storeBytes(of: figure, toByteOffset: 448 + 8 * place, as: UInt64.self)
    }
    guard slotOf[name] == nil else { return }
    for (place, byte) in name.utf8.enumerated() {
      unsafe at(slot).storeBytes(of: byte, toByteOffset: 2 + place, as: UInt8.self)
    }
    // Last, so that no half-written name is one.
    unsafe at(slot).storeBytes(of: UInt16(name.utf8.count), as: UInt16.self)
    slotOf[name] = slot
    names.append(name)
  }

  private func at(_ slot: Int) -> UnsafeMutableRawPointer { unsafe memory + slot * Self.slotSize }
}

/// A child of a plugin, as the surviving memory, the keeper and the service manager know it: over all
/// processes that dispatched with that memory.
struct ChildNumber: Hashable, CustomStringConvertible {
  /// As it is kept and sent.
  let value: UInt64

  /// `nil` for 0, which stands for no child.
  init?(kept value: UInt64) {
    if value == 0 { return nil }
    self.value = value
  }

  /// - Parameters:
  ///   - generation: of processes with this memory.
  ///   - count: of its children; the first is 1.
  init(generation: UInt64, count: UInt32) { value = generation << 32 | UInt64(count) }

  var description: String { String(value) }
}

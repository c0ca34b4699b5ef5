import CAudispatch
import Glibc

/// One thread wakes another. The corresponding call is `eventfd`.
public struct Bell: ~Copyable, Sendable {
  private let descriptor: Descriptor

  /// - Parameter waits: whether `clear` waits for a ring where there was none.
  public init(waits: Bool = false) throws(SystemError) {
    let fd = ad_eventfd(!waits)
    guard fd >= 0 else { throw SystemError("make", "a bell", .current) }
    descriptor = Descriptor(owning: fd)
  }

  /// Readable from a ring until the next `clear`.
  public var number: Int32 { descriptor.number }

  /// Who is not woken waits for ever, so a ring that fails is tried again. Where the counter is full, it
  /// is readable.
  public func ring() {
    var one: UInt64 = 1
    for _ in 0..<3 {
      let result = unsafe withUnsafeBytes(of: &one) { unsafe Transfer.write(number, $0) }
      guard case .failed = result else { return }
    }
  }

  /// Takes all rings that there were.
  public func clear() {
    var count: UInt64 = 0
    _ = unsafe withUnsafeMutableBytes(of: &count) { unsafe Transfer.read(number, into: $0) }
  }
}

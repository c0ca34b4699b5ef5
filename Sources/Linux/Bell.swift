import CAudispatch
import Glibc

/// One thread wakes another that waits for descriptors. The corresponding call is `eventfd`.
public struct Bell: ~Copyable, Sendable {
  private let descriptor: Descriptor

  public init() throws(SystemError) {
    let fd = ad_bell()
    guard fd >= 0 else { throw SystemError("make", "a bell", .current) }
    descriptor = Descriptor(owning: fd)
  }

  /// Readable from a ring until the next `clear`.
  public var number: Int32 { descriptor.number }

  public func ring() {
    var one: UInt64 = 1
    _ = unsafe withUnsafeBytes(of: &one) { unsafe Transfer.write(number, $0) }
  }

  public func clear() {
    var count: UInt64 = 0
    _ = unsafe withUnsafeMutableBytes(of: &count) { unsafe Transfer.read(number, into: $0) }
  }
}

extension Bell {
  /// A bell that is waited for by reading it, for as long as the process lives.
  static func blocking() throws(SystemError) -> Int32 {
    let fd = ad_eventfd(false)
    guard fd >= 0 else { throw SystemError("make", "a bell", .current) }
    return fd
  }

  static func ring(_ fd: Int32) { ad_event_signal(fd) }
  static func wait(_ fd: Int32) { ad_event_take(fd) }
}

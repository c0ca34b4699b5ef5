/// What the kernel source counts, laid out so that another process can read it at any time.
///
/// The page is eight 64-bit little-endian numbers at offset 0 of a memory file:
///
///     0  layout, always 1           4  queueLost
///     1  received                   5  malformed
///     2  kernelLost                 6  kernelAudit
///     3  receiveOverruns            7  written
public struct KernelCounters: Equatable, Sendable {
  public static let byteCount = 64
  /// `kernelAudit` when the kernel was not asked or did not answer.
  public static let unknown: UInt64 = 255

  /// Records that arrived from the kernel.
  public var received: UInt64 = 0
  /// By how much the kernel's own counter of lost records grew since the start.
  public var kernelLost: UInt64 = 0
  /// Records that the kernel had and could not put into our receive buffer.
  public var receiveOverruns: UInt64 = 0
  /// Records that arrived and found the queue to the enricher full, or were left in it at the end.
  public var queueLost: UInt64 = 0
  /// Messages, or runs of bytes in a capture, that are no audit record.
  public var malformed: UInt64 = 0
  /// Whether audit is on in the kernel: 0, 1, 2 (on and locked) or `unknown`.
  public var kernelAudit: UInt64 = KernelCounters.unknown
  /// Records that were formatted and written out.
  public var written: UInt64 = 0

  public init() {}

  /// The page's bytes.
  public var bytes: [UInt8] {
    let numbers = [
      1, received, kernelLost, receiveOverruns, queueLost, malformed, kernelAudit, written,
    ]
    return numbers.flatMap { number in (0..<8).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
    }
  }

  /// Reads a page; `nil` when it is too short or of another layout.
  public init?(_ page: Span<UInt8>) {
    guard page.count >= KernelCounters.byteCount else { return nil }
    guard page.number(0) == 1 else { return nil }
    received = page.number(1)
    kernelLost = page.number(2)
    receiveOverruns = page.number(3)
    queueLost = page.number(4)
    malformed = page.number(5)
    kernelAudit = page.number(6)
    written = page.number(7)
  }
}

extension Span<UInt8> {
  /// The little-endian number in the eight bytes from `8 * index` on.
  fileprivate func number(_ index: Int) -> UInt64 {
    var value: UInt64 = 0
    for byte in 0..<8 { value |= UInt64(self[index * 8 + byte]) << (byte * 8) }
    return value
  }
}

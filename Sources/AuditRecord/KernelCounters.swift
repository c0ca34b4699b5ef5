/// What the kernel source counts, laid out so that another process can read it at any time.
///
/// The page is ten 64-bit little-endian numbers at offset 0 of a memory file:
///
///     0  layout, always 2           5  malformed
///     1  received                   6  kernelAudit
///     2  kernelLost                 7  written
///     3  receiveOverruns            8  firstSerial
///     4  queueLost                  9  lastSerial
public struct KernelCounters: Equatable, Sendable {
  public static let byteCount = 80
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
  /// The serials of the first event and of the latest one that arrived, 0 before; the kernel's have
  /// 32 bits and are never 0. Whatever no reader got between two is one of those between theirs.
  public var firstSerial: UInt64 = 0
  public var lastSerial: UInt64 = 0

  public init() {}

  /// A record of that event arrived.
  public mutating func note(serial: UInt64) {
    if firstSerial == 0 {
      firstSerial = serial
      lastSerial = serial
    } else if Self.distance(from: lastSerial, to: serial) > 0 {
      lastSerial = serial
    }
  }

  /// How far one serial is behind another, over the kernel's wrapping of them; negative: before it.
  private static func distance(from: UInt64, to: UInt64) -> Int64 {
    Int64(Int32(truncatingIfNeeded: to &- from))
  }

  /// Events that there can have been, at most, between the last that one reader got and the first
  /// that the next one did; `nil` when one of them got none.
  public static func eventsBetween(
    _ earlier: KernelCounters, _ later: KernelCounters
  ) -> UInt64? {
    guard earlier.lastSerial != 0, later.firstSerial != 0 else { return nil }
    return UInt64(max(0, distance(from: earlier.lastSerial, to: later.firstSerial) - 1))
  }

  /// The page's numbers.
  public var numbers: [UInt64] {
    [
      2, received, kernelLost, receiveOverruns, queueLost, malformed, kernelAudit, written,
      firstSerial, lastSerial,
    ]
  }

  /// The page's bytes.
  public var bytes: [UInt8] {
    numbers.flatMap { number in (0..<8).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
    }
  }

  /// Reads a page; `nil` when it is too short or of another layout.
  public init?(_ page: Span<UInt8>) {
    guard page.count >= KernelCounters.byteCount else { return nil }
    guard page.number(0) == 2 else { return nil }
    received = page.number(1)
    kernelLost = page.number(2)
    receiveOverruns = page.number(3)
    queueLost = page.number(4)
    malformed = page.number(5)
    kernelAudit = page.number(6)
    written = page.number(7)
    firstSerial = page.number(8)
    lastSerial = page.number(9)
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

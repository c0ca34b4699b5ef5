import CAudispatch
import Glibc

/// A seat in the kernel's read-only multicast group of audit messages.
///
/// Takes nothing from anyone: auditd and other readers get every message too. Joining needs
/// CAP_AUDIT_READ in the initial user namespace; only the initial network namespace hears anything.
public struct AuditSocket: ~Copyable {
  /// What one receive gave.
  public enum Received: Equatable {
    /// A message of the kernel's; its text is `count` bytes behind `textOffset`.
    case message(type: UInt16, count: Int)
    /// A datagram that is not one whole message of the kernel's, and its size.
    case malformed(Int)
    case wouldBlock
    /// Messages were lost since the last receive because the receive buffer was full.
    case overrun
    case failed(Errno)
  }

  /// Where a message's text begins in the buffer that it was received into.
  public static let textOffset = 16

  public let descriptor: Descriptor
  /// The size in bytes that the kernel granted; it counts its own overhead for each message too.
  public let bufferBytes: Int
  /// Whether the size that was asked for was granted, whatever `net.core.rmem_max` says.
  ///
  /// Needs CAP_NET_ADMIN.
  public let bufferIsForced: Bool

  public init(bufferBytes: Int32) throws(SystemError) {
    let fd = ad_audit_multicast()
    guard fd >= 0 else { throw SystemError("join", "the kernel's audit messages", .current) }
    descriptor = Descriptor(owning: fd)
    var forced = false
    self.bufferBytes = Int(unsafe ad_receive_buffer(fd, bufferBytes, &forced))
    bufferIsForced = forced
  }

  /// Receives one message without waiting.
  public func receive(into buffer: UnsafeMutableRawBufferPointer) -> Received {
    guard let base = buffer.baseAddress else { return .failed(Errno(EINVAL)) }
    var count = 0
    var type: UInt16 = 0
    let size = unsafe ad_audit_receive(descriptor.number, base, buffer.count, &count, &type)
    guard size >= 0 else {
      switch errno {
      case EAGAIN: return .wouldBlock
      case ENOBUFS: return .overrun
      default: return .failed(.current)
      }
    }
    return type == 0 ? .malformed(size) : .message(type: type, count: count)
  }

  /// The messages that the kernel could not put into this socket's buffer since it was made.
  ///
  /// Exact, from the socket's own drop counter (`SO_MEMINFO`); `nil` where the kernel has none.
  /// The counter has 32 bits and wraps.
  public var droppedMessages: UInt32? {
    let drops = ad_socket_drops(descriptor.number)
    return drops < 0 ? nil : UInt32(truncatingIfNeeded: drops)
  }
}

/// The state of the kernel's audit system, as `auditctl -s` shows it.
public struct KernelAuditStatus: Equatable, Sendable {
  /// 0 off, 1 on, 2 on and locked.
  public var enabled: UInt32
  /// Records that the kernel lost since it started, or since someone reset the counter.
  public var lost: UInt32
  /// The process that takes the records, 0 when there is none.
  public var daemon: UInt32
  public var backlogLimit: UInt32
}

/// Asks the kernel for the state of its audit system; needs CAP_AUDIT_CONTROL.
public struct AuditStatusSocket: ~Copyable {
  private let descriptor: Descriptor

  public init() throws(SystemError) {
    let fd = ad_audit_control()
    guard fd >= 0 else { throw SystemError("open", "the kernel's audit control", .current) }
    descriptor = Descriptor(owning: fd)
  }

  /// Asks and waits for the answer, at most 200 ms.
  public func status() throws(SystemError) -> KernelAuditStatus {
    var raw = ad_kernel_audit()
    guard unsafe ad_audit_status(descriptor.number, 200, &raw) == 0 else {
      throw SystemError("ask", "the kernel for its audit state", .current)
    }
    return KernelAuditStatus(
      enabled: raw.enabled, lost: raw.lost, daemon: raw.daemon, backlogLimit: raw.backlog_limit)
  }
}

import Glibc
import Linux

/// What a worker begins with.
extension Holder {
  /// Whether this process is a worker already.
  public static var isWorker: Bool { unsafe getenv(HolderLink.variable) != nil }

  /// Of a worker's descriptors those from here on are what others left open.
  public static var firstDescriptorOfNobody: UInt32 { UInt32(HolderLink.descriptor) + 1 }

  /// Goes on as what an executed worker is at its start.
  func becomeWorker(_ channel: Int32) -> Never {
    dup2(channel, HolderLink.descriptor)
    DescriptorKind.closeAll(from: Self.firstDescriptorOfNobody)
    Signals.reset()
    unsafe setenv(HolderLink.variable, "1", 1)
    exit(work())
  }
}

import Glibc
public import Linux

/// What a worker begins with.
extension Keeper {
  /// The variable by which a process knows that it is a worker, with its keeper at `linkPlace`.
  static let variable = "AUDISPATCH_KEEPER"
  private static let linkPlace: Int32 = 3

  /// Whether this process is a worker already.
  public static var isWorker: Bool { unsafe getenv(variable) != nil }

  /// Of a worker's descriptors those from here on are what others left open.
  public static var firstDescriptorOfNobody: UInt32 { UInt32(linkPlace) + 1 }

  /// Goes on as what an executed worker is at its start.
  func becomeWorker(_ channel: Int32) -> Never {
    dup2(channel, Self.linkPlace)
    DescriptorKind.closeAll(from: Self.firstDescriptorOfNobody)
    Signals.reset()
    unsafe setenv(Self.variable, "1", 1)
    exit(work())
  }

  /// The connection to this process's keeper; `nil`: it has none, or that was taken. What is said over
  /// it is in `WorkerWord` and `WordToWorker`.
  public static func takeLink() -> MessageChannel? {
    guard let value = unsafe getenv(variable), unsafe String(cString: value) == "1",
      DescriptorKind.isSocket(linkPlace)
    else { return nil }
    unsafe unsetenv(variable)
    // It was executed by another name.
    setProcessName("audispatchd")
    _ = fcntl(linkPlace, F_SETFD, FD_CLOEXEC)
    return MessageChannel(owning: Descriptor(owning: linkPlace))
  }
}

import CAudispatch

/// What a descriptor is waited for.
public struct Interest: OptionSet, Sendable {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  public static let read = Interest(rawValue: UInt32(ad_readable))
  public static let write = Interest(rawValue: UInt32(ad_writable))
  /// The other side is gone; always reported, never asked for.
  public static let ended = Interest(rawValue: UInt32(ad_ended))
  /// Only that the other side is gone.
  public static let nothing: Interest = []
}

/// Waits for many descriptors at once. The corresponding calls are `epoll_*`, level-triggered.
public struct Poller: ~Copyable {
  private let epoll: Descriptor
  private var events = [ad_event](repeating: ad_event(), count: 64)

  public init() throws(SystemError) {
    let fd = ad_epoll_create()
    guard fd >= 0 else { throw SystemError("open", "epoll", .current) }
    epoll = Descriptor(owning: fd)
  }

  /// The poller's own descriptor, readable when something is ready: a loop may wait for a loop.
  public var number: Int32 { epoll.number }

  /// - Returns: `false` when the descriptor cannot be waited for (a regular file).
  public func add(_ fd: Int32, _ token: UInt64, _ interest: Interest) -> Bool {
    ad_epoll_add(epoll.number, fd, token, interest.rawValue) == 0
  }

  /// Adds what can always be waited for, unless the system has no room.
  public func watch(
    _ fd: Int32, _ token: UInt64, _ interest: Interest
  ) throws(SystemError) {
    guard add(fd, token, interest) else { throw SystemError("wait for", "a descriptor", .current) }
  }

  @discardableResult
  public func change(_ fd: Int32, _ token: UInt64, _ interest: Interest) -> Bool {
    ad_epoll_change(epoll.number, fd, token, interest.rawValue) == 0
  }

  public func remove(_ fd: Int32) { _ = ad_epoll_remove(epoll.number, fd) }

  /// Waits until something is ready, or for that many nanoseconds (-1: for ever). The corresponding
  /// call is `epoll_pwait2` for what is shorter than a tenth of a second, else `epoll_wait`.
  ///
  /// - Returns: how many `event(_:)` there are until the next wait.
  public mutating func wait(nanoseconds: Int64) -> Int {
    let count = unsafe events.withUnsafeMutableBufferPointer { buffer in
      unsafe ad_epoll_wait(epoll.number, buffer.baseAddress!, Int32(buffer.count), nanoseconds)
    }
    return Int(max(0, count))
  }

  /// The same, in milliseconds.
  public mutating func wait(milliseconds: Int32) -> Int {
    wait(nanoseconds: milliseconds < 0 ? -1 : Int64(milliseconds) * 1_000_000)
  }

  public func event(_ index: Int) -> (token: UInt64, interest: Interest) {
    (events[index].token, Interest(rawValue: events[index].ready))
  }
}

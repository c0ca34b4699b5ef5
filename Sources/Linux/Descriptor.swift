import CAudispatch
import Glibc

/// An open file descriptor that is closed when its owner lets go of it.
public struct Descriptor: ~Copyable, Sendable {
  /// The number, for a call that only borrows it.
  public let number: Int32

  /// Takes over an open descriptor.
  public init(owning number: Int32) {
    precondition(number >= 0, "a descriptor is never negative")
    self.number = number
  }

  deinit { close(number) }

  /// Gives the number away without closing it.
  public consuming func release() -> Int32 {
    let number = self.number
    discard self
    return number
  }

  /// Opens a file, close-on-exec. The corresponding call is `open`.
  public static func open(
    _ path: String, _ flags: Int32, mode: UInt32 = 0o640
  ) throws(SystemError) -> Descriptor {
    let fd = retryingInterrupts { unsafe Glibc.open(path, flags | O_CLOEXEC, mode) }
    guard fd >= 0 else { throw SystemError("open", path, .current) }
    return Descriptor(owning: fd)
  }

  /// Opens a file in a folder that is open, close-on-exec. The corresponding call is `openat`.
  public static func open(
    _ name: String, in folder: Int32, _ flags: Int32, mode: UInt32 = 0o600
  ) throws(Errno) -> Descriptor {
    let fd = retryingInterrupts { unsafe openat(folder, name, flags | O_CLOEXEC, mode) }
    guard fd >= 0 else { throw .current }
    return Descriptor(owning: fd)
  }
}

/// Repeats a call for as long as a signal interrupts it.
@inline(__always)
public func retryingInterrupts<Result: SignedInteger>(_ call: () -> Result) -> Result {
  while true {
    let result = call()
    if result != -1 || errno != EINTR { return result }
  }
}

/// What one read from a descriptor gave.
public enum ReadResult: Equatable, Sendable {
  case bytes(Int)
  /// A non-blocking descriptor has nothing now.
  case wouldBlock
  case end
  case failed(Errno)

  /// By the answer of a call, and `errno`.
  @inline(__always)
  init(count: Int) {
    self =
      if count > 0 { .bytes(count) } else if count == 0 { .end } else if errno == EAGAIN {
        .wouldBlock
      } else { .failed(.current) }
  }
}

/// What one write to a descriptor took.
public enum WriteResult: Equatable, Sendable {
  case bytes(Int)
  /// A non-blocking descriptor takes nothing now.
  case wouldBlock
  case failed(Errno)

  /// By the answer of a call, and `errno`.
  @inline(__always)
  init(count: Int) {
    self = count >= 0 ? .bytes(count) : errno == EAGAIN ? .wouldBlock : .failed(.current)
  }
}

/// Reads and writes on borrowed descriptors: one place for `EINTR` and `EAGAIN`.
public enum Transfer {
  /// Reads at most `into.count` bytes. The corresponding call is `read`.
  public static func read(_ fd: Int32, into buffer: UnsafeMutableRawBufferPointer) -> ReadResult {
    ReadResult(
      count: retryingInterrupts { unsafe Glibc.read(fd, buffer.baseAddress, buffer.count) })
  }

  /// Writes what the descriptor takes. The corresponding call is `write`.
  public static func write(_ fd: Int32, _ bytes: UnsafeRawBufferPointer) -> WriteResult {
    WriteResult(
      count: retryingInterrupts { unsafe Glibc.write(fd, bytes.baseAddress, bytes.count) })
  }

  /// Writes all of it to a blocking descriptor.
  public static func writeAll(_ fd: Int32, _ bytes: [UInt8]) throws(Errno) {
    var done = 0
    while done < bytes.count {
      let n = unsafe bytes.withUnsafeBytes { all in
        unsafe write(fd, UnsafeRawBufferPointer(rebasing: all[done...]))
      }
      switch n {
      case .bytes(let count): done += count
      case .wouldBlock: throw .again
      case .failed(let errno): throw errno
      }
    }
  }

  /// Reads a whole file of at most `limit` bytes; longer ones are cut there.
  public static func contents(of path: String, limit: Int) throws(SystemError) -> [UInt8] {
    let file = try Descriptor.open(path, O_RDONLY | O_NONBLOCK)
    return try contents(of: file, named: path, limit: limit)
  }

  /// Reads what is left of an open file, at most `limit` bytes.
  public static func contents(
    of file: borrowing Descriptor, named path: String, limit: Int
  ) throws(SystemError) -> [UInt8] {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 16 << 10)
    while bytes.count < limit {
      let result = unsafe chunk.withUnsafeMutableBytes { buffer in
        unsafe read(file.number, into: buffer)
      }
      switch result {
      case .bytes(let count): bytes += chunk[..<min(count, limit - bytes.count)]
      case .end: return bytes
      case .wouldBlock: throw SystemError("read", path, .again)
      case .failed(let errno): throw SystemError("read", path, errno)
      }
    }
    return bytes
  }
}

extension Descriptor {
  /// Memory that looks like a file and has no name. The corresponding call is `memfd_create`.
  public static func anonymousFile(_ name: String) throws(SystemError) -> Descriptor {
    let fd = unsafe ad_memfd(name)
    guard fd >= 0 else { throw SystemError("create", "memory file", .current) }
    return Descriptor(owning: fd)
  }
}

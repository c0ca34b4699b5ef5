import CAudispatch
import Glibc

/// Two connected ends of a socket, close-on-exec and blocking.
@frozen public struct Ends: ~Copyable {
  public let ours: Descriptor
  public let theirs: Descriptor

  init(_ make: (UnsafeMutablePointer<Int32>) -> Int32) throws(SystemError) {
    guard let pair = unsafe descriptors(make) else {
      throw SystemError("create", "a socket pair", .current)
    }
    ours = Descriptor(owning: pair.0)
    theirs = Descriptor(owning: pair.1)
  }

  /// Gives both numbers away without closing them.
  public consuming func release() -> (Int32, Int32) { (ours.release(), theirs.release()) }
}

/// The two ends of a pipe, close-on-exec and blocking.
@frozen public struct Pipe: ~Copyable {
  public let reading: Descriptor
  public let writing: Descriptor

  public init() throws(SystemError) {
    guard let pair = unsafe descriptors({ unsafe ad_pipe($0) }) else {
      throw SystemError("create", "a pipe", .current)
    }
    reading = Descriptor(owning: pair.0)
    writing = Descriptor(owning: pair.1)
  }

  /// Gives both numbers away without closing them, the reading one first.
  public consuming func release() -> (Int32, Int32) { (reading.release(), writing.release()) }

  /// Leaves a pipe room for a page; fails while more is in it. The corresponding call is
  /// `fcntl(F_SETPIPE_SZ)`.
  public static func shrink(_ fd: Int32) -> Bool { ad_pipe_room(fd, 4096) >= 0 }

  /// Puts a pipe that has ended in the place of a descriptor: who reads it is at its end.
  public static func putEnded(inPlaceOf fd: Int32) {
    guard let pipe = try? Pipe() else { return }
    dup2(pipe.reading.number, fd)
  }
}

private func descriptors(_ make: (UnsafeMutablePointer<Int32>) -> Int32) -> (Int32, Int32)? {
  var pair: (Int32, Int32) = (0, 0)
  let result = unsafe withUnsafeMutableBytes(of: &pair) { raw in
    unsafe make(raw.bindMemory(to: Int32.self).baseAddress!)
  }
  return result == 0 ? pair : nil
}

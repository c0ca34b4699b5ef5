import CAudispatch
import Glibc

/// The reason a system call gave for failing; prints as the C library's own sentence.
public struct Errno: Error, Equatable, Hashable, Sendable, CustomStringConvertible {
  public let number: Int32

  public init(_ number: Int32) { self.number = number }

  /// The calling thread's `errno`.
  public static var current: Errno { Errno(errno) }

  public static let again = Errno(EAGAIN)
  public static let brokenPipe = Errno(EPIPE)
  public static let interrupted = Errno(EINTR)
  public static let timedOut = Errno(ETIMEDOUT)
  public static let noSuchFile = Errno(ENOENT)
  public static let invalidArgument = Errno(EINVAL)
  public static let messageTooLong = Errno(EMSGSIZE)
  public static let notAllowed = Errno(EACCES)
  public static let notExecutable = Errno(ENOEXEC)
  public static let noBuffers = Errno(ENOBUFS)

  public var description: String { unsafe String(cString: ad_error_text(number)) }

  /// Whether the same call may succeed later though nobody does anything about it: for want of
  /// memory, processes or descriptors, or because something is in use.
  public var passes: Bool {
    [EAGAIN, ENOMEM, EMFILE, ENFILE, ETXTBSY, EINTR, EIO, ECANCELED, EBUSY, ETIMEDOUT]
      .contains(number)
  }
}

/// An operation on a named thing that the system refused: "cannot open /etc/x: No such file …".
public struct SystemError: Error, Equatable, Sendable, CustomStringConvertible {
  public let operation: String
  public let subject: String
  public let cause: Errno

  public init(_ operation: String, _ subject: String, _ cause: Errno) {
    self.operation = operation
    self.subject = subject
    self.cause = cause
  }

  public var description: String { "cannot \(operation) \(subject): \(cause)" }
}

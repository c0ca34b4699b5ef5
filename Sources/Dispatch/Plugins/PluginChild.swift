import Glibc
import Journal
import Linux

/// A plugin's process and what belongs to that alone: with its end all of it is gone.
final class PluginChild {
  let process: ChildProcess
  /// What the surviving memory and the keeper call it; `nil`: they do not know it.
  let number: ChildNumber?
  /// The dispatcher's end of its standard input, non-blocking.
  private let ourEnd: Descriptor
  /// Its own end, to ask how much of it is unread.
  private let childEnd: Descriptor
  /// Of its standard error, and of its standard output unless that is passed on.
  var output: OutputCatcher
  /// Its standard output, with `output = pass`.
  private(set) var passed: PassedOutput?
  private let confirms: Bool
  private var confirmations = ConfirmationReader()
  /// Until then its confirmations are not read, because it confirms too much.
  private var confirmingRestsUntil: Moment?
  private var confirmingHasEnded = false
  /// The socket took less than was offered, and its readiness is waited for.
  private(set) var isBlocked = false
  /// Binary records: how they are framed depends on the input, which has not shown it yet.
  private(set) var awaitsFraming: Bool

  init(
    _ process: consuming ChildProcess, number: ChildNumber?, ourEnd: consuming Descriptor,
    childEnd: consuming Descriptor, output: consuming OutputCatcher, passed: PassedOutput?,
    confirms: Bool, isBinary: Bool
  ) {
    self.process = process
    self.number = number
    self.ourEnd = ourEnd
    self.childEnd = childEnd
    self.output = output
    self.passed = passed
    self.confirms = confirms
    awaitsFraming = isBinary
  }

  var inputNumber: Int32 { ourEnd.number }
  var unreadNumber: Int32 { childEnd.number }
  var outputNumber: Int32 { output.number }

  // MARK: Its input

  func block() { isBlocked = true }
  func unblock() { isBlocked = false }
  func knowsFraming() { awaitsFraming = false }

  /// What its input is waited for when nothing waits to be written.
  var idleInterest: Interest {
    confirms && !confirmingHasEnded && confirmingRestsUntil == nil ? .read : []
  }

  /// What its input is waited for now.
  var interest: Interest { isBlocked ? idleInterest.union(.write) : idleInterest }

  /// Bytes that it has not read; `nil` where that cannot be told.
  var unread: Int? { UnixSocket.unread(childEnd.number) }

  func endInput() { shutdown(ourEnd.number, Int32(SHUT_WR)) }

  /// Takes back what it had not read when it died; nobody else can read it then.
  func discardUnread() {
    childEnd.setNonblocking(true)
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    while case .bytes = unsafe chunk.withUnsafeMutableBytes({
      unsafe Transfer.read(childEnd.number, into: $0)
    }) {}
  }

  // MARK: What it confirms

  var canConfirm: Bool { confirms && !confirmingHasEnded }

  /// - Returns: the highest number among the lines that these bytes complete.
  func takeConfirmation(_ bytes: ArraySlice<UInt8>) -> StreamNumber? {
    confirmations.take(bytes)
  }

  /// Takes off its socket what was looked at.
  func take(_ count: Int, into bytes: inout [UInt8], _ permit: borrowing Permit) {
    _ = unsafe bytes.withUnsafeMutableBytes {
      unsafe Transfer.read(inputNumber, into: UnsafeMutableRawBufferPointer(rebasing: $0[..<count]))
    }
  }

  /// The first line since the last call that confirms nothing, and how many such there were.
  func takeUnconfirmed() -> (sample: String, count: UInt64)? {
    confirmations.takeSample().map { ($0, confirmations.malformed) }
  }

  func confirmsNoMore() { confirmingHasEnded = true }
  func restConfirming(until: Moment?) { confirmingRestsUntil = until }
  var confirmingRest: Moment? { confirmingRestsUntil }

  // MARK: What it prints

  /// Nobody takes what it prints any more.
  func stopPassing() { passed = nil }
}

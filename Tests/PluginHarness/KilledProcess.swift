import Glibc
public import Linux

/// A process that is killed when nobody has it any more.
public struct KilledProcess: ~Copyable {
  private let process: ChildProcess

  public init(_ process: consuming ChildProcess) { self.process = process }

  public func signal(_ number: Int32) { process.signal(number) }

  deinit {
    process.signal(SIGKILL)
    _ = Poll.readable([process.pidfd], within: .seconds(20))
    _ = process.reap()
  }
}

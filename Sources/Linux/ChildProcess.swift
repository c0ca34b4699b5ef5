import CAudispatch
import Glibc

/// How a child ended.
public enum ChildEnd: Equatable, Sendable, CustomStringConvertible {
  case exit(Int32)
  case signal(Int32)

  public var description: String {
    switch self {
    case .exit(let code): "exit status \(code)"
    case .signal(let number): "signal \(number)"
    }
  }
}

/// A program that could not be started: at which step, and why.
public struct SpawnError: Error, Equatable, CustomStringConvertible {
  public let path: String
  public let stage: String
  public let cause: Errno

  public init(path: String, stage: String, cause: Errno) {
    self.path = path
    self.stage = stage
    self.cause = cause
  }

  public var description: String { "cannot start \(path): \(stage): \(cause)" }
}

/// A running child. Its death shows as readiness of `pidfd`.
public struct ChildProcess: ~Copyable, Sendable {
  public let pid: Int32
  /// -1 where the system has no such numbers.
  public let pidfd: Int32
  private let pidfdOwner: Descriptor?

  /// Starts a program with those descriptors as 0, 1, 2 and, if given, 3; nothing else is open in
  /// it, all signals are at their defaults, its nice value is 0, it leads a process group, and it
  /// is confined.
  ///
  /// Blocks until the program runs or could not be started; takes less than a millisecond,
  /// whatever this process's size (CLONE_VM), and as long as opening the confinement's paths does.
  /// `name` is what it is told that it is called, in place of its path.
  public init(
    path: String, name: String? = nil, arguments: [String], environment: [String], input: Int32,
    output: Int32, error: Int32, extra: Int32 = -1, confinement: Confinement = Confinement()
  ) throws(SpawnError) {
    var child = ad_child()
    let argv = unsafe ([name ?? path] + arguments).map { unsafe strdup($0) } + [nil]
    let envp = unsafe environment.map { unsafe strdup($0) } + [nil]
    defer {
      unsafe argv.forEach { unsafe free($0) }
      unsafe envp.forEach { unsafe free($0) }
    }
    let result: Int32
    do throws(SystemError) {
      result = try unsafe confinement.withPrepared(for: path) { confinement in
        unsafe argv.withUnsafeBufferPointer { argv in
          unsafe envp.withUnsafeBufferPointer { envp in
            unsafe ad_spawn_confined(
              path, argv.baseAddress!, envp.baseAddress!, input, output, error, extra, confinement,
              &child)
          }
        }
      }
    } catch {
      throw SpawnError(path: path, stage: "\(error.operation) \(error.subject)", cause: error.cause)
    }
    guard result == 0 else {
      throw SpawnError(
        path: path, stage: unsafe String(cString: ad_spawn_stage(child.stage)),
        cause: Errno(child.error))
    }
    pid = child.pid
    pidfd = child.pidfd
    pidfdOwner = Descriptor(owning: child.pidfd)
  }

  init(pid: Int32, pidfd: Int32) {
    self.pid = pid
    self.pidfd = pidfd
    pidfdOwner = pidfd < 0 ? nil : Descriptor(owning: pidfd)
  }

  /// Copies this process, which has one thread at this moment; the copy may start threads. It has all
  /// that is open here. The call is `fork`. Where the system has no numbers for processes its death shows
  /// as SIGCHLD only.
  ///
  /// A thread remembers its number for the locks of Swift's runtime. `fork` copies what the calling thread
  /// remembers, and in the copy it is wrong: two threads that met at such a lock there would spin for
  /// ever. So a new thread, which remembers nothing, calls it. That thread is gone afterwards, so the
  /// copy cannot use `endWithParent`.
  ///
  /// - Parameters:
  ///   - leadsSession: the copy leads a session of its own (`setsid`), and not only a process group.
  ///   - goOn: what the copy does.
  public static func copy(
    leadsSession: Bool = false, _ goOn: () -> Never
  ) throws(SystemError) -> ChildProcess {
    var pidfd: Int32 = -1
    let pid = withoutActuallyEscaping(goOn) { goOn in
      let life = Life(goOn)
      return withExtendedLifetime(life) {
        unsafe ad_fork_afresh(
          &pidfd, leadsSession, goOnAsCopy, Unmanaged.passUnretained(life).toOpaque())
      }
    }
    return try made(pid, pidfd)
  }

  /// The same for a copy that starts no thread; `nil` in the copy. It leads a process group.
  public static func copy() throws(SystemError) -> ChildProcess? {
    var pidfd: Int32 = -1
    let pid = unsafe ad_fork(&pidfd, false)
    return pid == 0 ? nil : try made(pid, pidfd)
  }

  private static func made(_ pid: Int32, _ pidfd: Int32) throws(SystemError) -> ChildProcess {
    guard pid >= 0 else { throw SystemError("start", "a copy of this process", .current) }
    return ChildProcess(pid: pid, pidfd: pidfd)
  }

  /// The corresponding call is `pidfd_send_signal`, which cannot hit another process.
  public func signal(_ number: Int32) {
    if pidfd < 0 { kill(pid, number) } else { _ = ad_pidfd_signal(pidfd, number) }
  }

  /// To the child and those that it has started, but for what left its process group.
  public func signalGroup(_ number: Int32) { kill(-pid, number) }

  /// Whether the program has a handler for a signal (SigCgt in /proc).
  public func catches(_ signal: Int32) -> Bool {
    let status = (try? Transfer.contents(of: "/proc/\(pid)/status", limit: 16 << 10)) ?? []
    let field = status.split(separator: 0x0a).first { $0.starts(with: "SigCgt:\t".utf8) }
    guard let field,
      let caught = UInt64(String(decoding: field.dropFirst(8), as: UTF8.self), radix: 16)
    else { return false }
    return caught >> UInt64(signal - 1) & 1 != 0
  }

  /// How it ended, `nil` while it runs. The child is gone when this has said so.
  public func reap() -> ChildEnd? {
    var status: Int32 = 0
    guard unsafe waitpid(pid, &status, WNOHANG) != 0 else { return nil }
    // wait(2): the signal is in the lowest seven bits, the exit status in the next eight.
    let signal = status & 0x7f
    return signal == 0 ? .exit(status >> 8 & 0xff) : .signal(signal)
  }

  /// Kills it, and waits for its end, which takes a moment unless something holds it in the kernel.
  ///
  /// - Returns: how it ended; `nil`: it has not in that time, and is still to be waited for.
  @discardableResult
  public func endNow(within patience: Duration = .milliseconds(100)) -> ChildEnd? {
    signal(SIGKILL)
    _ = Poll.readable([pidfd], within: patience)
    return reap()
  }

  /// A child of this process that has ended and was not waited for; it stays one.
  public static var endedChild: Int32? {
    let pid = ad_ended_child()
    return pid > 0 ? pid : nil
  }

  /// Waits for an ended child that nobody asks about.
  public static func forget(_ pid: Int32) {
    var status: Int32 = 0
    _ = unsafe waitpid(pid, &status, WNOHANG)
  }
}

extension Descriptor {
  /// A running process, whoever's child it is; `nil` when there is none of that number. The call is
  /// `pidfd_open`.
  public static func process(_ pid: Int32) -> Descriptor? {
    let fd = ad_pidfd_open(pid)
    return fd >= 0 ? Descriptor(owning: fd) : nil
  }
}

/// What a copy of this process does.
private final class Life {
  let goOn: () -> Never
  init(_ goOn: @escaping () -> Never) { self.goOn = goOn }
}

/// A function of its own, because a closure would belong to the main actor.
private func goOnAsCopy(_ context: UnsafeMutableRawPointer?) {
  guard let context = unsafe context else { return }
  unsafe Unmanaged<Life>.fromOpaque(context).takeUnretainedValue().goOn()
}

import Glibc

/// What a thread does.
public protocol ThreadWork: AnyObject, Sendable {
  func run()
}

/// A thread of this process. The corresponding calls are `pthread_create` and `pthread_join`.
public struct WorkThread: ~Copyable {
  /// Whether this process has one thread; also where there is no /proc to say it.
  public static var isAlone: Bool { ((try? Files.names(in: "/proc/self/task"))?.count ?? 1) == 1 }

  private let thread: pthread_t

  /// Starts it; the work is kept alive until it has ended. No signal comes to it: whoever takes
  /// signals, now or later, does so on another thread.
  public init(_ work: any ThreadWork) throws(SystemError) {
    var thread = pthread_t()
    var all = sigset_t()
    var before = sigset_t()
    unsafe sigfillset(&all)
    unsafe pthread_sigmask(SIG_SETMASK, &all, &before)
    defer { unsafe pthread_sigmask(SIG_SETMASK, &before, nil) }
    let context = unsafe Unmanaged.passRetained(Box(work)).toOpaque()
    let failure = unsafe pthread_create(&thread, nil, runWork, context)
    guard failure == 0 else {
      unsafe Unmanaged<Box>.fromOpaque(context).release()
      throw SystemError("start", "a thread", Errno(failure))
    }
    self.thread = thread
  }

  /// Waits until the work is done.
  public consuming func join() { _ = pthread_join(thread, nil) }

  /// Leaves it to itself; nothing of it stays behind when it has ended.
  public consuming func detach() { _ = pthread_detach(thread) }
}

private final class Box {
  let work: any ThreadWork
  init(_ work: any ThreadWork) { self.work = work }
}

/// The thread's body: a function of its own, because a closure would belong to the main actor.
private func runWork(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  guard let context = unsafe context else { return nil }
  unsafe Unmanaged<Box>.fromOpaque(context).takeRetainedValue().work.run()
  return nil
}

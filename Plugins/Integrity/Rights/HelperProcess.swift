import AudispatchPlugin
import Glibc
import Linux

/// The helper as a process: this program, executed anew with a word. It starts a copy of itself that
/// answers requests, and another one when that has ended; both end with the analyser.
enum HelperProcess {
  /// The first argument of that process; the second is the canary's login uid.
  static let word = "rights-helper"
  /// Where the connection to the analyser is.
  static let descriptor: Int32 = 3

  static func run(_ arguments: ArraySlice<String>) -> Int32 {
    guard let login = arguments.first.flatMap({ UInt32($0) }),
      DescriptorKind.isSocket(descriptor)
    else { return fail("only audispatch-integrity starts this") }
    // It ends with the connection: the analyser may have something to ask for at its own end.
    Signals.hold([SIGTERM, SIGINT, SIGHUP])
    Signals.ignoreFailedWrites()
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    let channel = PacketChannel(owning: Descriptor(owning: descriptor))
    do throws(SystemError) {
      try Capabilities.giveUp(allBut: Rights.helper)
      return try watchOver(channel, login)
    } catch { return fail("\(error)") }
  }

  private static func fail(_ text: String) -> Int32 {
    try? Transfer.writeAll(2, Array("audispatch-integrity: error: helper: \(text)\n".utf8))
    return 1
  }

  private static func watchOver(
    _ channel: borrowing PacketChannel, _ login: UInt32
  ) throws(SystemError) -> Int32 {
    var pause = HelperPause()
    while true {
      let begin = MonotonicTime.now
      guard let child = try ChildProcess.copy() else {
        endWithParent()
        var worker = HelperWorker(login: login)
        exit(worker.run(channel))
      }
      var end: ChildEnd?
      while end == nil {
        // Where processes have no descriptors, it is asked every second.
        let ready = Poll.wait(
          [(child.pidfd, .read), (channel.number, .nothing)],
          milliseconds: child.pidfd < 0 ? 1000 : -1)
        if ready[1].contains(.ended) {
          child.signal(SIGKILL)
          return 0
        }
        end = child.reap()
      }
      let seconds = pause.next(after: MonotonicTime.now - begin)
      let how = end.map { "\($0)" } ?? ""
      _ = channel.send(HelperAnswer.ended(how).packet(0).bytes)
      let ready = Poll.wait(
        [(channel.number, .nothing)], milliseconds: Int32(seconds / .milliseconds(1)))
      if ready[0].contains(.ended) { return 0 }
    }
  }
}

/// How long it is waited before a helper that has ended is started again: a second, and twice as long
/// each time up to a minute; after one that lived for a minute, a second again.
struct HelperPause: Equatable {
  private var last = Duration.zero

  mutating func next(after life: Duration) -> Duration {
    last = life >= .seconds(60) ? .seconds(1) : min(max(.seconds(1), last * 2), .seconds(60))
    return last
  }
}

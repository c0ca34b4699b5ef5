import AudispatchPlugin
import Linux

/// What is open for writing, asked for now and then, since that takes some milliseconds; and where
/// processes are. It is looked on a thread of its own.
struct Processes {
  private let looker: ProcessLooker
  private var last = Reading.unknown
  private var pause = Duration.zero
  private var until = Duration.zero

  init() throws(SystemError) { looker = try ProcessLooker() }

  /// Begins the thread. Those that come later may not look into other processes.
  func begin() throws(SystemError) { try WorkThread(looker).detach() }

  /// As it is now.
  func reading() -> Reading { looker.reading() }

  /// As it was just now, or as it was when it was asked last if that would take too much of the time.
  ///
  /// - Parameter uncertain: up to when something may have been opened of which no record tells.
  mutating func reading(uncertainUpTo uncertain: Int64?) -> Reading {
    let begin = MonotonicTime.now
    guard begin >= until else {
      if let uncertain, uncertain > last.since { return last }
      return Reading(since: WallClock.milliseconds, open: last.open)
    }
    last = looker.reading()
    let now = MonotonicTime.now
    pause = (now - begin) * 10
    until = now + pause
    return last
  }

  /// Where a process is; `nil` where it is gone.
  func workingFolder(of pid: UInt32) -> FilePath? { looker.workingFolder(of: pid) }
}

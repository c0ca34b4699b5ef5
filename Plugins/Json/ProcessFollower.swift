import AudispatchPlugin
import Configuration
import EventDocument
import Glibc
import Linux
import ProcessContext

/// The processes behind the events, and the file that keeps what is known of them.
struct ProcessFollower {
  private static let savedEvery = Duration.seconds(60)

  private var tracker: HostTrackers
  private let source: any ProcessSource
  private let path: String?
  private var savedAt = MonotonicTime.now
  private var said = ""

  var count: Int { tracker.count }
  var forgotten: Int { tracker.forgotten }
  var nodesForgotten: Int { tracker.hostsForgotten }

  /// - Parameter before: what a predecessor in this process knew.
  init?(_ options: JSONOptions, _ log: PluginLog, before: [UInt8]? = nil) {
    guard options.followsProcesses, options.form == .ecs || options.form == .laurel else {
      return nil
    }
    source = HostProcesses()
    tracker = HostTrackers(options.contextSettings, source: source)
    path = options.stateFile
    if let before {
      _ = try? tracker.restore(before)
    } else if let path {
      restore(path, log)
    }
  }

  private mutating func restore(_ path: String, _ log: PluginLog) {
    var log = log
    let trust = FileTrust(user: geteuid())
    var files = FileAccess.system
    files.contents = { path, _ in FileContents(of: path, limit: 256 << 20) }
    do throws(Diagnostic) {
      guard let bytes = try trust.contents(of: path, mayBeMissing: true, files)
      else { return }
      do throws(ProcessState.Refusal) {
        try tracker.restore(bytes)
      } catch .otherRun { return } catch { throw Diagnostic(.warning, file: path, "\(error)") }
    } catch { log.write(.warning, "does not take over what was known of processes: \(error)") }
  }

  /// What an event's processes are.
  mutating func context(of event: AuditEvent, _ log: inout PluginLog) -> EventContext {
    let context = tracker.note(event, now: Self.milliseconds)
    if path != nil, MonotonicTime.now - savedAt >= Self.savedEvery { save(&log) }
    return context
  }

  private static var milliseconds: UInt64 {
    var now = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &now)
    return UInt64(clamping: now.tv_sec * 1000 + now.tv_nsec / 1_000_000)
  }

  /// Everything that is known, for a successor.
  var state: [UInt8] { tracker.state() }

  /// Puts it into the file, of which there is always a whole one.
  mutating func save(_ log: inout PluginLog) {
    savedAt = MonotonicTime.now
    guard let path else { return }
    do throws(SystemError) {
      let new = path + ".new"
      do {
        let file = try Descriptor.open(
          new, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, mode: 0o600)
        do throws(Errno) {
          guard try Files.status(of: file.number).kind == .regular else { throw Errno(EINVAL) }
          try Transfer.writeAll(file.number, tracker.state())
        } catch { throw SystemError("write", new, error) }
      }
      try Files.rename(new, to: path)
      said = ""
    } catch {
      if said != "\(error)" { log.write(.error, "\(error)") }
      said = "\(error)"
    }
  }
}

public import AudispatchPlugin
import Configuration
import EventDocument
import Glibc
import Linux
public import ProcessContext

/// The processes behind the events, and the file that keeps what is known of them.
public struct ProcessFollower {
  private static let savedEvery = Duration.seconds(60)

  /// What was found out about an event.
  public final class Found: Sendable {
    public let context: EventContext?
    fileprivate static let nothing = Found(nil)

    init(_ context: consuming EventContext?) { self.context = context }
  }

  private var trackers: HostTrackers
  private let request: ProcessRequest
  private var savedAt = MonotonicTime.now
  private var said = ""

  /// `nil` where nothing of processes is written: it is not wanted, or the form has no place for it.
  ///
  /// - Parameter predecessor: one of other settings, or of the same, which then goes on.
  public init?(_ request: ProcessRequest, after predecessor: ProcessFollower?, _ log: PluginLog) {
    guard request.isWanted else { return nil }
    if let predecessor, predecessor.request == request {
      self = predecessor
      return
    }
    self.request = request
    trackers = HostTrackers(
      request.context, source: HostProcesses(), redactor: request.volume.finder)
    if let predecessor {
      // It is of this run of the system, and whole.
      do throws(ProcessState.Refusal) {
        try trackers.restore(predecessor.trackers.state())
      } catch { log.notTaken("\(error)") }
    } else if let path = request.stateFile {
      restore(path, log)
    }
  }

  private mutating func restore(_ path: String, _ log: PluginLog) {
    let trust = FileTrust(user: geteuid())
    var files = FileAccess.system
    files.contents = { path, _ in FileContents(of: path, limit: 256 << 20) }
    do throws(Diagnostic) {
      guard let bytes = try trust.contents(of: path, mayBeMissing: true, files)
      else { return }
      do throws(ProcessState.Refusal) {
        try trackers.restore(bytes)
      } catch .otherRun { return } catch { throw Diagnostic(.warning, file: path, "\(error)") }
    } catch { log.notTaken("\(error)") }
  }

  public var figures: [(name: String, value: Int)] {
    [
      ("processes", trackers.count), ("processes_forgotten", trackers.forgotten),
      ("nodes_forgotten", trackers.hostsForgotten),
    ]
  }

  /// Finds out what an event's processes are, and lets the event have it; `false` when a filter wants
  /// the event left out. Every event is to be shown, in the order of the input.
  public mutating func look(at event: inout AuditEvent, _ log: inout PluginLog) -> Bool {
    let found = Found(trackers.note(event, now: UInt64(clamping: WallClock.milliseconds)))
    if request.stateFile != nil, MonotonicTime.now - savedAt >= Self.savedEvery { save(&log) }
    event.companion = found
    return found.context?.isFiltered != true
  }

  /// What was found out about an event.
  public static func context(of event: AuditEvent) -> EventContext? { found(about: event).context }

  /// The same, of which nothing needs to be copied.
  public static func found(about event: AuditEvent) -> Found {
    event.companion as? Found ?? .nothing
  }

  /// Puts what is known of this host into the file, of which there is always a whole one.
  public mutating func save(_ log: inout PluginLog) {
    savedAt = MonotonicTime.now
    guard let path = request.stateFile else { return }
    do throws(SystemError) {
      let new = path + ".new"
      do {
        let file = try Descriptor.open(
          new, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, mode: 0o600)
        do throws(Errno) {
          guard try Files.status(of: file.number).kind == .regular else { throw Errno(EINVAL) }
          try Transfer.writeAll(file.number, trackers.state())
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

extension PluginLog {
  fileprivate func notTaken(_ reason: String) {
    var log = self
    log.write(.warning, "does not take over what was known of processes: \(reason)")
  }
}

import AudispatchPlugin
import Glibc
import Linux
import SyslogSending

/// Events as messages to the servers of the configuration, by what audispatch-syslog sends with. What no
/// server has taken waits, in bounded memory; what is too much is counted.
final class SyslogOutput {
  private static let bound = 4 << 20
  /// How long it is waited for a server when the program ends.
  private static let patience = Duration.seconds(2)

  private var outlet: Outlet
  private var servers: SyslogServers
  private var facility: SyslogPriority.Facility
  private var format: IntegrityOptions.Format
  private var headers: [SyslogPriority.Level: MessageHeader] = [:]
  /// The places of the events that wait, the first one first.
  private var places: [UInt64] = []
  private var taken = 0
  private(set) var dropped = 0

  init(_ options: IntegrityOptions) throws(SystemError) {
    servers = options.syslog
    facility = options.syslogFacility.facility
    format = options.format
    outlet = try Outlet(servers)
  }

  var watched: Int32? { outlet.watched }
  var deadline: Duration? { outlet.deadline }
  var sent: Int { outlet.done }
  var waiting: Int { outlet.waiting }
  var hasLost: Bool { outlet.waiting > 0 || dropped > 0 }

  /// Whether the event at a place waits. One for which there was no room waits for nothing.
  func waits(_ place: UInt64) -> Bool {
    var (low, high) = (0, places.count)
    while low < high {
      let middle = (low + high) / 2
      if places[middle] < place { low = middle + 1 } else { high = middle }
    }
    return low < places.count && places[low] == place
  }

  /// Sends over other servers from now on.
  func change(to options: IntegrityOptions) {
    servers = options.syslog
    facility = options.syslogFacility.facility
    format = options.format
    headers = [:]
    outlet.change(to: servers)
  }

  /// Takes an event that stands at that place among all.
  func send(_ event: ToldEvent, place: UInt64) {
    guard outlet.waitingBytes < Self.bound else {
      dropped += 1
      return
    }
    outlet.append(message(event), token: nil)
    places.append(place)
  }

  /// Does whatever can be done now; what there is to say of it.
  func advance() -> [(Linux.Severity, String)] {
    _ = outlet.advance()
    places.removeFirst(min(places.count, outlet.done - taken))
    taken = outlet.done
    return outlet.takeReports()
  }

  /// Sends what waits, and takes leave of the server.
  func finish(by end: Duration) {
    let last = min(end - .milliseconds(100), MonotonicTime.now + Self.patience)
    while outlet.waiting > 0, MonotonicTime.now < last {
      outlet.wait(atMost: last - MonotonicTime.now)
      _ = advance()
    }
    outlet.close(within: .milliseconds(100))
  }

  private func message(_ event: ToldEvent) -> [UInt8] {
    let now = UInt64(clamping: WallClock.milliseconds)
    if servers.areJournals {
      var entry: [UInt8] = []
      JournalEntry.append(
        "MESSAGE", (format == .json ? event.lines[0] : event.record(.max)).utf8, to: &entry)
      JournalEntry.append("PRIORITY", "\(event.level.rawValue)".utf8, to: &entry)
      JournalEntry.append("SYSLOG_FACILITY", "\(facility.rawValue)".utf8, to: &entry)
      JournalEntry.append("SYSLOG_IDENTIFIER", Self.tag.utf8, to: &entry)
      return entry
    }
    var message: [UInt8] = []
    let subject = MessageHeader.Subject(milliseconds: now, name: Array(event.name.utf8))
    headers[event.level, default: header(event.level)].append(subject, to: &message)
    // A document that is cut is none: what does not fit is the record, with as much of its name as leaves
    // room for who it was.
    let room = servers.usualSize - message.count
    let isDocument = format == .json && event.lines[0].utf8.count <= room
    message += (isDocument ? event.lines[0] : event.record(room)).utf8
    MessageCut.cut(&message, to: servers.usualSize)
    return message
  }

  private static let tag = "audispatch-integrity"

  private func header(_ level: SyslogPriority.Level) -> MessageHeader {
    var priority = SyslogPriority()
    (priority.level, priority.facility) = (level, facility)
    return MessageHeader(
      servers.areLocal ? .local : .rfc5424, priority,
      host: (try? NodeName.resolve(.hostname, name: nil)) ?? "localhost", tag: Self.tag,
      process: "\(getpid())", isUTC: !servers.areLocal)
  }
}

import AuditRecord
import Glibc
import Linux

/// Which time of day a summary shows.
public enum EventZone: Sendable {
  case utc
  /// That of the host (`TZ`, `/etc/localtime`) at the time of the event.
  case local
}

/// The time of an event as text, `2026-11-20T23:20:03.855Z` or with `+01:00`.
struct EventTime {
  private let zone: EventZone
  // Offsets change on quarters of an hour.
  private var quarter: Int64 = .min
  private var offset: Int64 = 0

  init(_ zone: EventZone) { self.zone = zone }

  mutating func text(milliseconds: UInt64) -> String {
    // The year 9999: what lies behind it is no time, and is shown as the number it is.
    guard milliseconds < 253_402_300_800_000 else { return "@\(milliseconds)ms" }
    let seconds = Int64(milliseconds / 1000)
    if zone == .local, seconds / 900 != quarter {
      quarter = seconds / 900
      var moment = time_t(seconds)
      var parts = unsafe tm()
      let known = unsafe localtime_r(&moment, &parts) != nil
      offset = known ? Int64(unsafe parts.tm_gmtoff) : 0
    }
    let local = seconds + offset
    let days = local >= 0 ? local / 86400 : (local - 86399) / 86400
    let ofDay = local - days * 86400
    let civil = CivilDate(daysSince1970: days)
    let date = "\(Self.pad(civil.year, 4))-\(Self.pad(civil.month, 2))-\(Self.pad(civil.day, 2))"
    let clock = [ofDay / 3600, ofDay / 60 % 60, ofDay % 60].map { Self.pad($0, 2) }
    let fraction = Self.pad(Int64(milliseconds % 1000), 3)
    return "\(date)T\(clock.joined(separator: ":")).\(fraction)\(zoneText)"
  }

  private var zoneText: String {
    if offset == 0 { return "Z" }
    let minutes = abs(offset) / 60
    return "\(offset < 0 ? "-" : "+")\(Self.pad(minutes / 60, 2)):\(Self.pad(minutes % 60, 2))"
  }

  private static func pad(_ value: Int64, _ digits: Int) -> String {
    padded(String(value), to: digits)
  }
}

import AuditRecord
import Glibc

/// Times as syslog writes them.
///
/// Asks the host for its offset from UTC once in a quarter of an hour of events' time: offsets
/// change on quarters.
struct MessageTime: Sendable {
  enum Zone: Equatable, Sendable {
    case utc
    /// That of the host at that time (`TZ`, `/etc/localtime`).
    case local
  }

  private let zone: Zone
  private var quarter: Int64 = .min
  private var offset: Int64 = 0

  init(_ zone: Zone) { self.zone = zone }

  /// The year 9999; what lies behind it is no time.
  private static let last: UInt64 = 253_402_300_799

  private static let months = Array("JanFebMarAprMayJunJulAugSepOctNovDec".utf8)

  /// `Nov 20 23:20:03`, RFC 3164.
  mutating func appendShort(_ seconds: UInt64, to text: inout [UInt8]) {
    let parts = parts(min(seconds, Self.last))
    text += Self.months[(parts.month - 1) * 3..<parts.month * 3]
    text.append(0x20)
    text.append(parts.day < 10 ? 0x20 : UInt8(0x30 + parts.day / 10))
    text.append(UInt8(0x30 + parts.day % 10))
    text.append(0x20)
    Self.appendClock(parts, to: &text)
  }

  /// `2026-11-20T23:20:03.855Z`, or with `+01:00`: RFC 5424.
  mutating func appendLong(_ milliseconds: UInt64, to text: inout [UInt8]) {
    let milliseconds = min(milliseconds, Self.last * 1000 + 999)
    let parts = parts(milliseconds / 1000)
    Self.pad(parts.year, 4, &text)
    text.append(UInt8(ascii: "-"))
    Self.pad(parts.month, 2, &text)
    text.append(UInt8(ascii: "-"))
    Self.pad(parts.day, 2, &text)
    text.append(UInt8(ascii: "T"))
    Self.appendClock(parts, to: &text)
    text.append(UInt8(ascii: "."))
    Self.pad(Int(milliseconds % 1000), 3, &text)
    guard parts.offset != 0 else { return text.append(UInt8(ascii: "Z")) }
    text.append(parts.offset < 0 ? UInt8(ascii: "-") : UInt8(ascii: "+"))
    let minutes = Int(abs(parts.offset) / 60)
    Self.pad(minutes / 60, 2, &text)
    text.append(UInt8(ascii: ":"))
    Self.pad(minutes % 60, 2, &text)
  }

  private struct Parts {
    var year = 0
    var month = 0
    var day = 0
    var second: Int64 = 0
    var offset: Int64 = 0
  }

  private mutating func parts(_ seconds: UInt64) -> Parts {
    let utc = Int64(seconds)
    if zone == .local, utc / 900 != quarter {
      quarter = utc / 900
      var moment = time_t(utc)
      var parts = unsafe tm()
      let known = unsafe localtime_r(&moment, &parts) != nil
      offset = known ? Int64(unsafe parts.tm_gmtoff) : 0
    }
    let local = max(0, utc + offset)
    let date = CivilDate(daysSince1970: local / 86400)
    return Parts(
      year: Int(date.year), month: Int(date.month), day: Int(date.day), second: local % 86400,
      offset: offset)
  }

  private static func appendClock(_ parts: Parts, to text: inout [UInt8]) {
    pad(Int(parts.second / 3600), 2, &text)
    text.append(UInt8(ascii: ":"))
    pad(Int(parts.second / 60 % 60), 2, &text)
    text.append(UInt8(ascii: ":"))
    pad(Int(parts.second % 60), 2, &text)
  }

  private static func pad(_ value: Int, _ digits: Int, _ text: inout [UInt8]) {
    var unit = 1
    for _ in 1..<digits { unit *= 10 }
    while unit > 0 {
      text.append(UInt8(0x30 + value / unit % 10))
      unit /= 10
    }
  }
}

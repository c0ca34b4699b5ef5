import Glibc

/// Times of files, which have nanoseconds.
enum Timestamp {
  /// `2026-11-20T23:20:03.855123456Z`.
  static func text(nanoseconds: Int64) -> String {
    let (seconds, rest) = floored(nanoseconds, by: 1_000_000_000)
    return "\(date(seconds)).\(padded(rest, 9))Z"
  }

  static func text(milliseconds: Int64) -> String {
    let (seconds, rest) = floored(milliseconds, by: 1000)
    return "\(date(seconds)).\(padded(rest, 3))Z"
  }

  private static func date(_ seconds: Int64) -> String {
    var moment = time_t(seconds)
    var parts = unsafe tm()
    guard unsafe gmtime_r(&moment, &parts) != nil else { return "@\(seconds)" }
    let (year, month, day) = unsafe (Int64(parts.tm_year) + 1900, parts.tm_mon + 1, parts.tm_mday)
    let (hour, minute, second) = unsafe (parts.tm_hour, parts.tm_min, parts.tm_sec)
    return "\(padded(year, 4))-\(padded(Int64(month), 2))-\(padded(Int64(day), 2))T"
      + [hour, minute, second].map { padded(Int64($0), 2) }.joined(separator: ":")
  }

  private static func floored(_ value: Int64, by unit: Int64) -> (Int64, Int64) {
    let rest = (value % unit + unit) % unit
    return ((value - rest) / unit, rest)
  }

  private static func padded(_ value: Int64, _ digits: Int) -> String {
    let text = String(value)
    return String(repeating: "0", count: max(0, digits - text.count)) + text
  }
}

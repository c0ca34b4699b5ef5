import AudispatchPlugin

/// A program's arguments as Laurel writes them: as a list, as one text, or both, and those in the
/// middle left out where they are too long.
struct LaurelArguments {
  private let arguments: [[UInt8]]
  private let settings: LaurelSettings
  /// What is left out.
  private var gap: Range<Int>?
  private let itemLimit: Int

  init(_ event: AuditEvent, _ settings: LaurelSettings, _ itemLimit: Int) {
    arguments = event.arguments() ?? []
    self.settings = settings
    self.itemLimit = itemLimit
    gap = settings.argumentLimit.flatMap { Self.gap(arguments, $0) }
  }

  /// Half of the bytes is for the first ones and half for the last, a blank counted for each.
  private static func gap(_ arguments: [[UInt8]], _ limit: Int) -> Range<Int>? {
    let all = arguments.reduce(0) { $0 + $1.count + 1 }
    guard all > limit else { return nil }
    var first = 0
    var room = limit / 2
    while first < arguments.count, arguments[first].count < room {
      room -= arguments[first].count + 1
      first += 1
    }
    var last = arguments.count
    room = limit / 2
    while last > first, arguments[last - 1].count < room {
      room -= arguments[last - 1].count + 1
      last -= 1
    }
    return first < last ? first..<last : nil
  }

  private var skippedBytes: Int {
    guard let gap else { return 0 }
    return arguments[gap].reduce(gap.count - 1) { $0 + $1.count }
  }

  func write(_ out: inout DocumentBytes) {
    if settings.hasArgumentList {
      out.array("ARGV")
      var written = 0
      for (place, argument) in arguments.enumerated() where gap?.contains(place) != true {
        if place == gap?.upperBound { writeGap(&out) }
        guard written < itemLimit else { break }
        written += 1
        out.string(argument[...])
      }
      if gap?.upperBound == arguments.count { writeGap(&out) }
      let left = arguments.count - (gap?.count ?? 0) - written
      if left > 0 { out.omitted(left) }
      out.endArray()
    }
    if settings.hasArgumentText { writeText(&out) }
  }

  private func writeGap(_ out: inout DocumentBytes) {
    guard let gap else { return }
    out.beginObject()
    out.key("skipped_args")
    out.integer(gap.count)
    out.key("skipped_bytes")
    out.integer(skippedBytes)
    out.endObject()
  }

  private func writeText(_ out: inout DocumentBytes) {
    var text: [UInt8] = []
    for (place, argument) in arguments.enumerated() {
      if place == gap?.lowerBound {
        text += Array(
          "\(text.isEmpty ? "" : " ")<<< Skipped: args=\(gap?.count ?? 0), bytes=\(skippedBytes) >>>"
            .utf8)
      }
      if gap?.contains(place) == true { continue }
      if !text.isEmpty { text.append(0x20) }
      text += argument
    }
    out.key("ARGV_STR")
    out.string(text[...])
  }
}

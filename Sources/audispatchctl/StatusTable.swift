import AudispatchPlugin

/// A status for people: a line about the daemon, one about its source, and a row for each plugin.
struct StatusTable {
  private static let columns = [
    "PLUGIN", "STATE", "PID", "RECEIVED", "DELIVERED", "QUEUED", "DROPPED", "RESTARTS",
  ]

  /// How many of the inactive are named.
  private static let mostInactive = 20

  let text: String

  init(_ status: Status) {
    var lines = [Self.daemon(status.daemon), Self.source(status.source)]
    if let spool = status.spool { lines += Self.spool(spool) }
    lines.append("")
    let inactive = status.plugins.filter { $0.state == "inactive" }
    let active = status.plugins.filter { $0.state != "inactive" }
    lines += active.isEmpty ? ["no active plugins"] : Self.table(active)
    if !inactive.isEmpty {
      let names = inactive.prefix(Self.mostInactive).map { SafeText.escaped($0.name.utf8) }
      let others = max(inactive.count, status.inactive ?? 0) - names.count
      lines += [
        "",
        "inactive: \(names.joined(separator: ", "))" + (others > 0 ? " and \(others) more" : ""),
      ]
    }
    text = lines.map { $0 + "\n" }.joined()
  }

  private static func daemon(_ daemon: Status.Daemon) -> String {
    "audispatchd \(SafeText.escaped(daemon.version.utf8)), pid \(daemon.pid), "
      + "up \(elapsed(daemon.uptimeSeconds))"
  }

  private static func source(_ source: Status.Source) -> String {
    var parts = [
      "\(number(source.records)) \(source.records == 1 ? "record" : "records")",
      "\(number(source.events)) \(source.events == 1 ? "event" : "events")", size(source.bytes),
    ]
    if source.malformed > 0 { parts.append("\(number(source.malformed)) malformed") }
    if source.kernelLost > 0 { parts.append("\(number(source.kernelLost)) lost by the kernel") }
    if source.receiveOverruns > 0 {
      parts.append("\(number(source.receiveOverruns)) receive overruns")
    }
    if let lost = source.readerQueueLost, lost > 0 {
      parts.append("\(number(lost)) lost in the kernel's reader")
    }
    if let events = source.unreadEventsMax, events > 0 {
      parts.append("at most \(number(events)) events unread between two readers")
    }
    return "source \(SafeText.escaped(source.kind.utf8)): \(parts.joined(separator: ", "))"
  }

  private static func spool(_ spool: Status.Spool) -> [String] {
    let trouble = spool.trouble.isEmpty ? "" : " (\(SafeText.escaped(spool.trouble.utf8)))"
    let state = SafeText.escaped(spool.state.utf8)
    var lines = ["spool \(state)\(trouble): \(SafeText.escaped(spool.folder.utf8))"]
    for gone in spool.gone where gone.records > 0 {
      lines.append(
        "  \(number(gone.records)) records kept for \(SafeText.escaped(gone.name.utf8)), "
          + "not active since \(SpoolText.time(gone.since))")
    }
    return lines
  }

  private static func table(_ plugins: [Status.Plugin]) -> [String] {
    let rows = [columns] + plugins.map(row)
    let widths = columns.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    var lines: [String] = []
    for (index, row) in rows.enumerated() {
      let cells = row.indices.map { column in
        let space = String(repeating: " ", count: widths[column] - row[column].count)
        // Words to the left, numbers to the right.
        return column < 2 ? row[column] + space : space + row[column]
      }
      lines.append(cells.joined(separator: "  "))
      if index > 0 { lines += notes(plugins[index - 1]) }
    }
    return lines
  }

  private static func row(_ plugin: Status.Plugin) -> [String] {
    [
      SafeText.escaped(plugin.name.utf8), SafeText.escaped(plugin.state.utf8),
      plugin.pid > 0 ? "\(plugin.pid)" : "-", number(plugin.received), number(plugin.delivered),
      number(plugin.queued), number(total(plugin.dropped)), number(plugin.restarts),
    ]
  }

  /// The sum; what is beyond 64 bits can only come from a broken daemon, and stays there.
  private static func total(_ dropped: [String: UInt64]) -> UInt64 {
    dropped.values.reduce(0) { sum, value in
      let (next, overflow) = sum.addingReportingOverflow(value)
      return overflow ? .max : next
    }
  }

  /// What of a plugin is not zero and not in its row.
  private static func notes(_ plugin: Status.Plugin) -> [String] {
    var notes: [String] = []
    let reasons = plugin.dropped.filter { $0.value > 0 }.sorted { $0.key < $1.key }
    if !reasons.isEmpty {
      let list = reasons.map { "\(number($0.value)) \(SafeText.escaped($0.key.utf8))" }
      notes.append("  dropped: \(list.joined(separator: ", "))")
    }
    if plugin.queuedBytes > 0 {
      notes.append("  queued: \(size(plugin.queuedBytes))\(plugin.limits.map(bounds) ?? "")")
    }
    if plugin.redelivered > 0 { notes.append("  sent again: \(number(plugin.redelivered))") }
    return notes + StatusReasons(plugin).lines.map { "  " + $0 }
  }

  private static func bounds(_ limits: Status.Plugin.Limits) -> String {
    let action = SafeText.escaped(limits.overflowAction.utf8)
    let memory = "\(number(limits.records)) records or \(size(limits.bytes))"
    guard let disk = limits.spoolBytes else { return " of at most \(memory), then \(action)" }
    return " (\(action): \(memory) in memory, \(size(disk)) on disk)"
  }

  static func number(_ value: UInt64) -> String {
    var digits = Array(String(value))
    var place = digits.count - 3
    while place > 0 {
      digits.insert(",", at: place)
      place -= 3
    }
    return String(digits)
  }

  static func size(_ bytes: UInt64) -> String {
    let units = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
    guard bytes >= 1024 else { return "\(bytes) \(bytes == 1 ? "byte" : "bytes")" }
    var unit = 0
    var tenths = bytes / 1024 * 10 + bytes % 1024 * 10 / 1024
    while tenths >= 10240, unit < units.count - 1 {
      tenths /= 1024
      unit += 1
    }
    return "\(tenths / 10).\(tenths % 10) \(units[unit])"
  }

  static func elapsed(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds >= 0, seconds < 1e12 else { return "?" }
    let total = Int(seconds)
    let parts = [
      (total / 86400, "d"), (total / 3600 % 24, "h"), (total / 60 % 60, "min"), (total % 60, "s"),
    ]
    let shown = parts.drop { $0.0 == 0 }.prefix(2)
    return shown.isEmpty ? "0 s" : shown.map { "\($0.0) \($0.1)" }.joined(separator: " ")
  }
}

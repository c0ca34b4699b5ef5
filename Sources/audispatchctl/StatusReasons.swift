import AudispatchPlugin

/// Why a plugin is as it is: how it ended, what it said, when it is tried again.
struct StatusReasons {
  let lines: [String]

  init(_ plugin: Status.Plugin) {
    var lines: [String] = []
    if plugin.state == "stalled", let idle = plugin.idleSeconds {
      lines.append("has read nothing for \(StatusTable.elapsed(Double(idle)))")
    }
    if let seconds = plugin.startingSeconds {
      lines.append("starting: has not answered for \(StatusTable.elapsed(Double(seconds)))")
    }
    if let count = plugin.leftBehind {
      lines.append(
        "\(count) process\(count == 1 ? "" : "es") of it, killed at the start, "
          + "\(count == 1 ? "does" : "do") not end")
    }
    if let exit = plugin.lastExit {
      let how =
        exit.signal.map { "signal \($0)" } ?? exit.status.map { "exit status \($0)" } ?? "unknown"
      lines.append("last ended with \(how), \(SpoolText.time(exit.at))")
    }
    if let message = plugin.lastMessage {
      let text = SafeText.escaped(message.text.utf8.prefix(400))
      lines.append("last said, \(SpoolText.time(message.at)): \(text)")
    }
    if let seconds = plugin.nextAttemptSeconds {
      lines.append("next attempt in \(StatusTable.elapsed(Double(seconds)))")
    }
    self.lines = lines
  }
}

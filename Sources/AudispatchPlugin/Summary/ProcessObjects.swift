import AuditRecord

/// To which processes something was done.
extension EventFacts {
  /// At most so many processes are named.
  private static let named = 4

  /// The processes of OBJ_PID records, else what the arguments name, and the signal.
  var process: String? {
    var words = [told ?? asked].compactMap { $0 }
    if let signal = signalArgument.flatMap({ argument($0) }) {
      words.append("with \(SignalNames.text(Int32(truncatingIfNeeded: signal)))")
    }
    return words.isEmpty ? nil : words.joined(separator: " ")
  }

  private var told: String? {
    let processes = event.records.filter { $0.type == .objectProcess }.compactMap { record in
      event.value("opid", of: record).map { pid in
        let name = event.value("ocomm", of: record).map { " (\(SafeText.word($0)))" } ?? ""
        return "pid " + SafeText.word(pid.prefix(24)) + name
      }
    }
    guard !processes.isEmpty else { return nil }
    let more = processes.count - Self.named
    return processes.prefix(Self.named).joined(separator: ", ")
      + (more > 0 ? " and \(more) more" : "")
  }

  /// Whom the arguments name: kill(2), pidfd_send_signal(2), ptrace(2).
  private var asked: String? {
    guard let value = argument(systemCallName == "ptrace" ? 1 : 0) else { return nil }
    let number = Int32(truncatingIfNeeded: value)
    switch systemCallName {
    case "pidfd_send_signal": return "descriptor \(number)"
    case "kill" where number == 0: return "its process group"
    case "kill" where number == -1: return "every process"
    case "kill" where number < 0: return "process group \(number.magnitude)"
    default: return "pid \(number)"
    }
  }

  /// Which argument is the signal.
  private var signalArgument: Int? {
    switch systemCallName {
    case "kill", "tkill", "rt_sigqueueinfo", "pidfd_send_signal": 1
    case "tgkill", "rt_tgsigqueueinfo": 2
    default: nil
    }
  }
}

import AudispatchPlugin
import Configuration
import Glibc
import Linux

extension LogOptions {
  static let mailProgram = "/usr/lib/sendmail"

  /// What must fit together, and what must be there.
  func settle() -> [Diagnostic] {
    conflicts(without: []) + [fileObjection].compactMap(\.self)
  }

  func conflicts(without wrong: Set<String>) -> [Diagnostic] {
    func isKnown(_ keywords: String...) -> Bool { wrong.isDisjoint(with: keywords) }
    var found: [Diagnostic] = []
    if isKnown("freq", "flush"), frequency == 0,
      flush == .incremental || flush == .incrementalAsync
    {
      found.append(places.problem("freq", "flush = \(flush.rawValue) needs a freq of at least 1"))
    }
    if isKnown("admin_space_left", "space_left"), adminSpaceLeft.isBelow(spaceLeft) == false {
      found.append(
        places.problem("admin_space_left", "admin_space_left must be less than space_left"))
    }
    if isKnown("max_log_file_action", "num_logs"), sizeAction == .rotate, fileCount < 2 {
      found.append(
        places.problem(
          "num_logs", "with num_logs = \(fileCount) nothing is rotated, and the log grows",
          severity: .warning))
    }
    found += actionProblems
    if compresses, unsafe access(Compression.program, X_OK) != 0 {
      found.append(places.problem("compress", "there is no \(Compression.program)"))
    }
    return found
  }

  private var actionProblems: [Diagnostic] {
    let actions = [
      ("space_left_action", spaceAction), ("admin_space_left_action", adminSpaceAction),
      ("disk_full_action", fullAction), ("disk_error_action", errorAction),
    ]
    return actions.compactMap { keyword, action in
      switch action {
      case .email:
        guard unsafe access(Self.mailProgram, X_OK) != 0 else { return nil }
        return places.problem(keyword, "email needs \(Self.mailProgram), which is not there")
      case .execute(let path):
        return ActionPrograms.objection(to: path).map {
          places.problem(keyword, $0.message, suggestion: $0.suggestion)
        }
      default: return nil
      }
    }
  }

  private var fileObjection: Diagnostic? {
    if let status = try? Files.status(of: file, followingLinks: false), status.kind != .regular {
      return places.problem("log_file", "\(file) is a \(status.kind.rawValue), not a file")
    }
    let folder = Files.folder(of: file)
    if let status = try? Files.status(of: folder), status.kind != .directory {
      return places.problem("log_file", "\(folder) is a \(status.kind.rawValue), not a folder")
    }
    if (try? Files.status(of: folder)) == nil,
      (try? Files.status(of: Files.folder(of: folder))) == nil
    {
      return places.problem(
        "log_file", "the folder \(folder) is not there, nor the one it would be in",
        severity: .warning)
    }
    if let refusal = WriteAccess.refusal(file) { return places.problem("log_file", "\(refusal)") }
    if let other = Self.auditdLog, other == file {
      return places.problem(
        "log_file", "auditd writes \(file) itself (/etc/audit/auditd.conf)", severity: .warning,
        suggestion: "set write_logs = no there, or log_file here")
    }
    return nil
  }

  /// The log that the host's auditd is configured to write; `nil` when it writes none.
  private static var auditdLog: String? {
    let path = "/etc/audit/auditd.conf"
    guard let bytes = try? Files.contents(of: path, limit: 64 << 10).bytes else { return nil }
    var file = "/var/log/audit/audit.log"
    for setting in ConfigurationText(bytes, file: path).settings {
      let value = setting.values[0].text
      switch setting.keyword.text.lowercased() {
      case "write_logs": if value.lowercased() == "no" { return nil }
      case "log_file": file = value
      default: break
      }
    }
    return file
  }
}

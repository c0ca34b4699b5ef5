import AudispatchPlugin
import CAudit
import Glibc
import Linux

/// An event of ours as the text of an audit record of user space.
///
///     op=file-changed name="/etc/shadow" inode=1234 changed=size,sha256 severity=high
///     attribution=exact login=1000 session=5 events=1493125524.089:126 witness=agrees
///
/// Whatever others have named is encoded as libaudit does that: in quotes, or as hexadecimal digits.
/// No text is longer than 6,000 bytes: the kernel cuts at 8,560 (AUDIT_MESSAGE_TEXT_MAX), and libaudit
/// puts the program and the result behind it.
enum RecordText {
  /// The type that AIDE's records have too.
  static let type = Int32(AUDIT_ANOM_RBAC_INTEGRITY_FAIL)

  /// Bytes of a name, and of lists for people, that are in it; of a longer one its beginning.
  private static let (longestName, longestList) = (1900, 500)
  /// Authors, and events to look up, that are named.
  private static let most = 8

  /// - Parameters:
  ///   - held: changes of the same path since its last record that had none.
  ///   - room: bytes that there are; the name is cut for that, and nothing of who it was.
  static func text(_ report: ChangeReport, held: Int = 0, room: Int = .max) -> String {
    fitting(room) { text(report, held, longestName: $0) }
  }

  /// With as much of a name as there is room for.
  private static func fitting(_ room: Int, _ text: (_ longestName: Int) -> String) -> String {
    let whole = text(longestName)
    if whole.utf8.count <= room { return whole }
    // Encoded, each byte of it may take two; and how many there were is said besides.
    let rest = text(0).utf8.count + 16
    return text(min(longestName, max(0, room - rest) / 2))
  }

  private static func text(_ report: ChangeReport, _ held: Int, longestName: Int) -> String {
    let change = report.change
    var words = ["op=file-\(change.kind.rawValue)"]
    words.append(field("name", change.path.bytes, longestName))
    if change.path.bytes.count > longestName {
      words.append("name_bytes=\(change.path.bytes.count)")
    }
    if let inode = (change.after ?? change.before)?.facts.inode { words.append("inode=\(inode)") }
    let changed = AttributeSet.names.filter { change.attributes.contains($0.set) }.map(\.name)
    if !changed.isEmpty { words.append("changed=\(changed.joined(separator: ","))") }
    words.append("severity=\(change.severity.rawValue)")
    if let attribution = report.attribution { words += Self.words(attribution) }
    if let circumstances = report.circumstances {
      words.append("witness=\(circumstances.testimony.rawValue)")
      if circumstances.isFoundByScan { words.append("found_by=scan") }
    }
    if report.isAmended { words.append("amended=yes") }
    if let window = report.window { words.append("maintenance=\(window.generation.number)") }
    if held > 0 { words.append("held=\(held)") }
    return words.joined(separator: " ")
  }

  static func text(_ update: PackageUpdate) -> String {
    let packages = update.steps.map(\.shown).joined(separator: ", ")
    var words = ["op=packages-changed", field("packages", Array(packages.utf8), longestList)]
    words += [
      "packaged=\(update.packaged)", "listed=\(update.listed)", "removed=\(update.removed)",
      "by_scripts=\(update.byScripts.count)", "severity=\(update.severity.rawValue)",
    ]
    if let attribution = update.attribution { words += Self.words(attribution) }
    if let window = update.window { words.append("maintenance=\(window.generation.number)") }
    return words.joined(separator: " ")
  }

  /// Whether the program sees what it should.
  static func text(_ subject: String, _ findings: [String], room: Int = .max) -> String {
    fitting(room) { text(subject, findings, longestName: $0) }
  }

  private static func text(_ subject: String, _ findings: [String], longestName: Int) -> String {
    var words = ["op=integrity-\(findings.isEmpty ? "sees" : "blind")"]
    words.append(field("subject", Array(subject.utf8), longestName))
    if !findings.isEmpty {
      words.append(
        field("findings", Array(findings.joined(separator: "; ").utf8), longestList))
    }
    return words.joined(separator: " ")
  }

  static func text(_ window: MaintenanceWindow, isBegun: Bool) -> String {
    let (number, actor) = (window.generation.number, window.generation.actor)
    let reason = Array((window.generation.reason ?? "").utf8)
    return "op=maintenance-\(isBegun ? "begun" : "over") maintenance=\(number) "
      + "login=\(actor.login.map(String.init) ?? "unset") " + field("reason", reason, longestList)
  }

  private static func words(_ attribution: Attribution) -> [String] {
    var words = ["attribution=\(attribution.confidence.rawValue)"]
    let authors = attribution.candidates.prefix(most).map(\.author)
    if !authors.isEmpty {
      words.append("login=\(authors.map(\.login.shown).joined(separator: ","))")
      let sessions = authors.map { $0.session.map(String.init) ?? "unset" }
      words.append("session=\(sessions.joined(separator: ","))")
    }
    let stamps = attribution.stamps
    if !stamps.isEmpty {
      words.append("events=\(stamps.prefix(most).joined(separator: ","))")
    }
    return words
  }

  /// `NAME="VALUE"`, or `NAME=` and hexadecimal digits where the value has blanks, quotes or bytes that
  /// are none of ASCII.
  static func field(_ name: String, _ value: [UInt8], _ longest: Int) -> String {
    // What goes into quotes is taken up to a NUL, whatever the count says.
    let value = value.prefix(longest) + [0]
    let encoded = unsafe value.withUnsafeBytes { bytes in
      unsafe audit_encode_nv_string(
        name, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), UInt32(bytes.count - 1))
    }
    guard let encoded = unsafe encoded else { return "\(name)=?" }
    defer { unsafe free(encoded) }
    return unsafe String(cString: encoded)
  }
}

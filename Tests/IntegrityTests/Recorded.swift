import AudispatchPlugin
import AuditRecord
import Linux

@testable import audispatch_integrity

/// Made records, and the changes that they are about.
enum Recorded {
  /// The events of lines.
  static func events(_ text: String) -> [AuditEvent] {
    var stream = RecordStream()
    var assembler = EventAssembler()
    var events: [AuditEvent] = []
    precondition(stream.fill(with: Array((text + "\n").utf8)) == text.utf8.count + 1)
    while stream.next(
      ended: true,
      { line, header, type in assembler.append(line, header, type: type, at: .zero) })
    {}
    assembler.finish()
    while let event = assembler.next() { events.append(event) }
    return events
  }

  /// A system call with the paths it was made with; `second` counts from 1,000,000,000.
  static func call(
    _ number: Int, _ fields: String, auid: String = "1000", ses: String = "5", second: Int,
    serial: Int, key: String = "audispatch-integrity", paths: [String], success: String = "yes"
  ) -> String {
    let stamp = "msg=audit(\(1_000_000_000 + second).000:\(serial)):"
    var lines = [
      "type=SYSCALL \(stamp) arch=c000003e syscall=\(number) success=\(success) exit=0 \(fields) "
        + "items=\(paths.count) ppid=10 pid=20 auid=\(auid) uid=0 gid=0 euid=0 suid=0 fsuid=0 "
        + "egid=0 sgid=0 fsgid=0 tty=pts1 ses=\(ses) comm=\"vi\" exe=\"/usr/bin/vi\" key=\"\(key)\"",
      "type=CWD \(stamp) cwd=\"/watched\"",
    ]
    lines += paths.map { "type=PATH \(stamp) \($0)" }
    lines += ["type=PROCTITLE \(stamp) proctitle=7669002F78", "type=EOE \(stamp)"]
    return lines.joined(separator: "\n")
  }

  static func path(_ name: String, inode: Int, _ kind: String) -> String {
    "name=\(name) inode=\(inode) dev=08:01 mode=0100644 ouid=0 ogid=0 rdev=00:00 nametype=\(kind)"
  }

  /// A file of device 08:01, changed at a second.
  static func state(inode: UInt64, changed second: Int64, size: UInt64 = 1) -> FileState {
    FileState(
      FileFacts(
        kind: .regular, mode: 0o644, user: 0, group: 0, links: 1, size: size, inode: inode,
        device: 0x801, modified: (1_000_000_000 + second) * 1_000_000_000,
        changed: (1_000_000_000 + second) * 1_000_000_000))
  }

  /// The change of `/watched/file`, in the folder 50, as seen at second 200.
  static func subject(_ before: FileState?, _ after: FileState?) -> Subject {
    let change = StateChange(
      FilePath("/watched/file"), before: before, after: after, counting: .full, severity: .low)!
    return Subject(
      change: change, folders: [FileIdentity(device: 0x801, inode: 50)],
      above: [FileIdentity(device: 0x801, inode: 50)],
      since: before?.facts.changedAt ?? 1_000_000_000_000,
      reading: Reading(since: 1_000_000_005_000, open: OpenFiles()),
      until: after?.facts.changedAt ?? 1_000_000_200_000)
  }

  static let keys: Set<[UInt8]> = [Array("audispatch-integrity".utf8)]

  /// Who made a change, by lines that begin at second 0 and end at second 300.
  static func attribution(of subject: Subject, _ lines: String...) -> Attribution {
    var deeds = DeedStore()
    var gaps = StreamGaps(keys: keys)
    let first = "type=USER_END msg=audit(1000000000.000:1): pid=1 uid=0 auid=0 ses=1 msg='x'"
    let last = "type=USER_END msg=audit(1000000300.000:99): pid=1 uid=0 auid=0 ses=1 msg='x'"
    for event in events(([first] + lines + [last]).joined(separator: "\n")) {
      deeds.take(event)
      gaps.note(event)
    }
    // Between the first serial and the last these tests have as many as they need.
    let all = gaps.all.filter { !$0.reason.hasSuffix("missing") }
    return Attribution(of: subject, from: deeds.deeds(about: subject), gaps: all, keys: keys)
  }
}

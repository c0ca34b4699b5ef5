import Testing

@testable import AudispatchPlugin

/// The sentence of one event, without its time, serial and trail.
///
/// - Parameter records: each as `TYPE: fields`.
func sentence(_ records: [String]) -> String {
  let lines = records.map { record in
    let colon = record.firstIndex(of: ":") ?? record.endIndex
    return Array("type=\(record[..<colon]) msg=audit(1364481363.243:7)\(record[colon...])".utf8)
  }
  var summary = EventSummary(zone: .utc)
  let events = assemble(lines)
  #expect(events.count == 1)
  var line = Substring(summary.line(for: events[0])).dropFirst("2013-03-28T14:36:03.243Z #7 ".count)
  if line.last == "]", let trail = line.lastPlace(of: " [") {
    line = line[..<trail]
  }
  return String(line)
}

extension Substring {
  /// Where a text begins for the last time.
  fileprivate func lastPlace(of text: String) -> Index? {
    indices.reversed().first { self[$0...].hasPrefix(text) }
  }
}

/// A SYSCALL record of uid 60000, who is root now.
///
/// - Parameters:
///   - arguments: `a0` and what follows it, in hex.
///   - exit: what it returned; `nil` for a record without a result.
func call(
  _ number: Int, _ arguments: String = "", exit: Int? = 0, arch: String = "c000003e",
  comm: String = "prog"
) -> String {
  let given: [String] = arguments.split(separator: " ").map { String($0) }
  let words = given + Array(repeating: "0", count: 4)
  let numbers = (0..<4).map { "a\($0)=\(words[$0])" }.joined(separator: " ")
  let result = exit.map { " success=\($0 < 0 ? "no" : "yes") exit=\($0)" } ?? ""
  return "SYSCALL: arch=\(arch) syscall=\(number)\(result) \(numbers) items=0 ppid=1 pid=11"
    + " auid=60000 uid=0 gid=0 euid=0 tty=pts0 ses=3 comm=\"\(comm)\" exe=\"/usr/bin/\(comm)\""
    + " key=(null)"
}

/// A PATH record.
func path(_ name: String, _ kind: String = "NORMAL", inode: Int = 2, item: Int = 0) -> String {
  "PATH: item=\(item) name=\(name) inode=\(inode) dev=fe:00 mode=0100644 ouid=0 ogid=0 rdev=00:00"
    + " nametype=\(kind)"
}

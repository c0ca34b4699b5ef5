import TestSupport

@testable import AudispatchPlugin

/// Events as a kernel and its programs might have made them, and what may become of their records
/// on the way.
struct GeneratedEvents {
  enum Change: String, CaseIterable, Sendable {
    /// Records of several events alternate.
    case interleaved
    /// Records of an event change places, but for its last.
    case shuffled
    /// A record comes twice, one behind the other.
    case repeated
    /// A record ends somewhere in its fields.
    case cut
    /// A record comes behind the end of its event, or the end comes twice.
    case late
    /// A record does not come.
    case missing
    /// The EOE is not sent, as from a log.
    case endless
  }

  private var random: Seeded
  private var serial = 0
  /// Milliseconds since 1970: slow enough that nothing is two seconds old while it is open.
  private var clock = 1_700_000_000_000

  init(seed: UInt64) { random = Seeded(seed) }

  /// So many events' records, in an order that the changes allow.
  mutating func lines(_ count: Int, _ changes: Set<Change>) -> [[UInt8]] {
    var lines: [[UInt8]] = []
    var open: [ArraySlice<[UInt8]>] = []
    let width = changes.contains(.interleaved) ? 6 : 1
    var begun = 0
    while begun < count || !open.isEmpty {
      while open.count < width, begun < count {
        open.append(changed(event(), changes)[...])
        begun += 1
      }
      let index = Int.random(in: open.indices, using: &random)
      if let line = open[index].popFirst() { lines.append(line) }
      if open[index].isEmpty { open.remove(at: index) }
    }
    return lines
  }

  private mutating func changed(_ event: [String], _ changes: Set<Change>) -> [[UInt8]] {
    var event = event
    if event.count > 2, changes.contains(.shuffled), Bool.random(using: &random) {
      event = event.dropLast().shuffled(using: &random) + [event[event.count - 1]]
    }
    if changes.contains(.endless), event.count > 1 { event.removeLast() }
    if event.count > 2, changes.contains(.missing), Bool.random(using: &random) {
      event.remove(at: Int.random(in: 0..<event.count - 1, using: &random))
    }
    if event.count > 1, changes.contains(.repeated), Bool.random(using: &random) {
      let index = Int.random(in: 0..<event.count - 1, using: &random)
      event.insert(event[index], at: index)
    }
    if event.count > 2, changes.contains(.late), Int.random(in: 0..<4, using: &random) == 0 {
      event.append(event[Int.random(in: 0..<event.count, using: &random)])
    }
    return event.map { line in
      let bytes = Array(line.utf8)
      guard changes.contains(.cut), Int.random(in: 0..<8, using: &random) == 0,
        let body = bytes.firstIndex(of: UInt8(ascii: ")")), body + 3 < bytes.count
      else { return bytes }
      return Array(bytes.prefix(Int.random(in: body + 3..<bytes.count, using: &random)))
    }
  }

  /// An event's records in the kernel's order, its EOE last if it has one.
  mutating func event() -> [String] {
    serial += 1
    clock += Int.random(in: 0...30, using: &random)
    let milliseconds = String(clock % 1000 + 1000).dropFirst()
    let stamp = "msg=audit(\(clock / 1000).\(milliseconds):\(serial)):"
    func record(_ type: String, _ body: String) -> String { "type=\(type) \(stamp) \(body)" }
    let end = "type=EOE \(stamp) "
    let call = record(
      "SYSCALL",
      "arch=c000003e syscall=\(Int.random(in: 0...330, using: &random)) success=yes exit=0 "
        + "a0=7ff a1=0 a2=1b6 a3=0 items=2 ppid=1 pid=\(serial) auid=1000 uid=0 gid=0 euid=0 "
        + "suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 tty=pts0 ses=3 comm=\(text()) exe=\"/bin/x\" "
        + "key=\"watch\"")
    let paths = (0..<Int.random(in: 1...4, using: &random)).map { item in
      record("PATH", "item=\(item) name=\(text()) inode=7 mode=0100644 nametype=NORMAL")
    }
    let rest = [record("PROCTITLE", "proctitle=\(text())"), end]
    switch Int.random(in: 0..<10, using: &random) {
    case 0..<4: return [call, record("CWD", "cwd=\(text())")] + paths + rest
    case 4..<6:
      let count = Int.random(in: 1...5, using: &random)
      let arguments = (0..<count).map { "a\($0)=\(text())" }.joined(separator: " ")
      return [call, record("EXECVE", "argc=\(count) \(arguments)")] + paths + rest
    case 6: return [record("AVC", "apparmor=\"DENIED\" name=\(text())"), call] + rest
    case 7: return [call, record("SOCKADDR", "saddr=020000357F0000010000000000000000")] + rest
    case 8: return [record("CONFIG_CHANGE", "op=add_rule key=\"watch\" list=4 res=1"), call] + rest
    default:
      let type = ["USER_LOGIN", "CRED_ACQ", "USER_CMD", "SERVICE_START", "ANOM_ABEND", "USER_AVC"]
      return [
        record(
          type.randomElement(using: &random) ?? "",
          "pid=1 uid=0 auid=1000 ses=3 msg='op=\(text()) res=success'")
      ]
    }
  }

  /// A value as the kernel writes one: in quotes, or in hex.
  private mutating func text() -> String {
    let bytes = (0..<Int.random(in: 1...12, using: &random)).map { _ in
      UInt8.random(in: 0x21...0x7e, using: &random)
    }
    let isPlain = !bytes.contains(UInt8(ascii: "\"")) && Bool.random(using: &random)
    if isPlain { return "\"\(String(decoding: bytes, as: UTF8.self))\"" }
    let digits = Array("0123456789ABCDEF")
    return bytes.map { "\(digits[Int($0 >> 4)])\(digits[Int($0 & 15)])" }.joined()
  }
}

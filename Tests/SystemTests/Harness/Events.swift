import Foundation

/// An event that a test makes up: its lines name their place in it.
struct TestEvent: Sendable {
  let serial: Int
  let lines: [String]

  static func id(_ serial: Int) -> String { "audit(1700000000.000:\(serial))" }

  init(_ serial: Int, records: Int = 1, eoe: Bool = false, fill: Int = 0) {
    self.serial = serial
    let types = ["SYSCALL", "EXECVE", "CWD", "PATH", "PROCTITLE"]
    let filling = String(repeating: "x", count: fill)
    var lines = (0..<records).map { place in
      "type=\(types[min(place, 4)]) msg=\(Self.id(serial)): part=\(place) fill=\(filling)"
    }
    if eoe { lines.append("type=EOE msg=\(Self.id(serial)):") }
    self.lines = lines
  }

  static func stream(_ serials: Range<Int>, records: Int = 1, eoe: Bool = false, fill: Int = 0)
    -> [TestEvent]
  {
    serials.map { TestEvent($0, records: records, eoe: eoe, fill: fill) }
  }
}

extension [TestEvent] {
  var records: [String] { flatMap(\.lines) }

  /// The records of groups of events in turn, as they come from several processors.
  func interleaved(_ width: Int) -> [String] {
    stride(from: 0, to: count, by: width).flatMap { start in
      let group = self[start..<Swift.min(start + width, count)]
      let longest = group.map(\.lines.count).max() ?? 0
      return (0..<longest).flatMap { place in
        group.compactMap { $0.lines.indices.contains(place) ? $0.lines[place] : nil }
      }
    }
  }
}

/// What a plugin wrote down, taken apart by event and compared with what was sent.
struct Receipt: Sendable {
  /// Serials whose records are all there, in order, once.
  var complete: [Int] = []
  var absent: [Int] = []
  /// Serials with some of their records, or with more.
  var broken: [Int] = []
  /// Records of the dispatcher's own about gaps.
  var gaps: [String] = []
  var foreign: [String] = []
  /// Records that were sent and are there.
  var records = 0

  init(of lines: [String], sent: [TestEvent]) {
    let known = Set(sent.map(\.serial))
    var found: [Int: [String]] = [:]
    for line in lines {
      if line.contains("type=DAEMON_ERR") && line.contains("op=queue-drop") {
        gaps.append(line)
      } else if let serial = Self.serial(line), known.contains(serial) {
        found[serial, default: []].append(line)
        records += 1
      } else {
        foreign.append(line)
      }
    }
    for event in sent {
      switch found[event.serial] {
      case nil: absent.append(event.serial)
      case event.lines?: complete.append(event.serial)
      default: broken.append(event.serial)
      }
    }
  }

  static func serial(_ line: String) -> Int? {
    guard let start = line.range(of: "msg=audit("), let end = line.range(of: "):"),
      let colon = line[start.upperBound..<end.lowerBound].lastIndex(of: ":")
    else { return nil }
    return Int(line[line.index(after: colon)..<end.lowerBound])
  }
}

/// Records in auditd's binary form.
enum Binary {
  static func record(
    _ payload: String, type: UInt32 = 1300, version: UInt32 = 1, fixed: Bool = false
  ) -> Data {
    record(Data(payload.utf8), type: type, version: version, fixed: fixed)
  }

  static func record(
    _ payload: Data, type: UInt32 = 1300, version: UInt32 = 1, headerSize: UInt32 = 16,
    size: UInt32? = nil, fixed: Bool = false, padding: UInt8 = 0
  ) -> Data {
    var data = Data()
    for word in [version, headerSize, type, size ?? UInt32(payload.count)] {
      unsafe withUnsafeBytes(of: word) { unsafe data.append(contentsOf: $0) }
    }
    data += payload
    if fixed { data += Data(repeating: padding, count: max(0, 8986 - data.count)) }
    return data
  }
}

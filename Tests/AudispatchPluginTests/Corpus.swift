import AuditRecord
import Linux
import Testing

@testable import AudispatchPlugin

/// Real records: `Tests/EnrichmentTests/Corpus`, recorded behind auditd 3.0.9 on Linux 6.18.
enum Corpus {
  static let folder = #filePath.split(separator: "/").dropLast(2).reduce("") { "\($0)/\($1)" }

  static let bytes = file("EnrichmentTests/Corpus/auditd-3.0.9-enriched.log")

  static func file(_ path: String) -> [UInt8] {
    do {
      return try Transfer.contents(of: "\(folder)/\(path)", limit: 8 << 20)
    } catch {
      Issue.record("\(error)")
      return []
    }
  }

  static let lines = bytes.split(separator: 0x0a).map(Array.init)
}

/// Assembles lines, taking every event out at once.
func assemble(
  _ lines: [[UInt8]], _ assembler: inout EventAssembler, at now: Duration = .zero,
  finish: Bool = true
) -> [AuditEvent] {
  var events: [AuditEvent] = []
  for line in lines {
    guard let header = RecordHeader(line.span) else {
      Issue.record("not a record: \(String(decoding: line, as: UTF8.self))")
      continue
    }
    var types = TypeNames()
    let type = RecordType(rawValue: types.number(of: line.span.extracting(header.typeName)))
    assembler.append(line.span, header, type: type, at: now)
    while let event = assembler.next() { events.append(event) }
  }
  if finish {
    assembler.finish()
    while let event = assembler.next() { events.append(event) }
  }
  return events
}

func assemble(_ lines: [[UInt8]]) -> [AuditEvent] {
  var assembler = EventAssembler()
  return assemble(lines, &assembler)
}

extension AuditEvent {
  /// `7: SYSCALL PATH EOE (end)`.
  var sketch: String {
    let types = records.map { String(decoding: bytes[$0.typeName], as: UTF8.self) }
    let name = node.map { String(decoding: bytes[$0], as: UTF8.self) + " " } ?? ""
    return "\(name)\(stamp.serial): \(types.joined(separator: " ")) (\(ending))"
      + (isContinuation ? " continued" : "")
  }
}

/// A line of a sketch, `[NODE/]TYPE SERIAL [MILLISECONDS]`.
func line(_ sketch: String) -> [UInt8] {
  let words = sketch.split(separator: " ")
  let name = words[0].split(separator: "/")
  let node = name.count > 1 ? "node=\(name[0]) " : ""
  let time = words.count > 2 ? Int(words[2]) ?? 0 : 0
  let fraction = String(time % 1000 + 1000).dropFirst()
  return Array(
    "\(node)type=\(name[name.count - 1]) msg=audit(\(100 + time / 1000).\(fraction):\(words[1])): x=1"
      .utf8)
}

func lines(_ sketches: String) -> [[UInt8]] {
  sketches.split(separator: ",").map { line(String($0)) }
}

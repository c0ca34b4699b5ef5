// conformance: how many golden documents are equal, and which differ: go-libaudit's events and
// records in the form `go-libaudit`, Auditbeat's in the form `ecs` but for known differences.
//
//   conformance FOLDER     a folder with aucoalesce/ and auparse/, or with NAME.log-expected.json
//
// Ends with 1 when something differs, with 2 when there is nothing to compare.
import AudispatchPlugin
import AuditRecord
import EventDocument
import Foundation

/// The events of some lines.
func events(_ lines: [String]) -> [AuditEvent] {
  var assembler = EventAssembler()
  var names = TypeNames()
  for line in lines {
    let bytes = Array(line.utf8)
    guard let header = RecordHeader(bytes.span) else { return [] }
    let number = names.number(of: bytes.span.extracting(header.typeName))
    assembler.append(bytes.span, header, type: RecordType(rawValue: number), at: .zero)
  }
  assembler.finish()
  var events: [AuditEvent] = []
  while let event = assembler.next() { events.append(event) }
  return events
}

func event(_ lines: [String]) -> AuditEvent? { events(lines).first }

func object(_ json: [UInt8]) -> NSDictionary {
  let parsed = try? JSONSerialization.jsonObject(with: Data(json))
  return parsed as? NSDictionary ?? [:]
}

/// What differs, as paths with both values.
func differences(_ expected: Any?, _ got: Any?, _ path: String) -> [String] {
  if let expected = expected as? NSDictionary, let got = got as? NSDictionary {
    let keys = Set((Array(expected.allKeys) + Array(got.allKeys)).compactMap { $0 as? String })
    return keys.sorted().flatMap { differences(expected[$0], got[$0], path + "." + $0) }
  }
  let same = (expected as? NSObject) == (got as? NSObject)
  func shown(_ value: Any?) -> String { value.map { "\($0)" } ?? "nothing" }
  return same ? [] : ["\(path.dropFirst()): \(shown(expected)), not \(shown(got))"]
}

var equal = 0
var different = 0

@MainActor func report(_ name: String, _ differences: [String]) {
  if differences.isEmpty {
    equal += 1
  } else {
    different += 1
    print("differs: \(name)")
    for difference in differences { print("  \(difference)") }
  }
}

guard CommandLine.arguments.count == 2 else {
  print("usage: conformance FOLDER")
  exit(2)
}
do {
  let goldens = Goldens(folder: CommandLine.arguments[1])
  var writer = DocumentWriter(.libaudit)
  var inECS = InECS()
  for (name, lines, expected) in try goldens.coalesced() {
    guard let event = event(lines) else {
      report(name, ["not an event"])
      continue
    }
    let got = NSMutableDictionary()
    for (key, value) in object(writer.document(event)) {
      if let name = key as? NSString { got.setObject(value, forKey: name) }
    }
    let warnings = got["warnings"]
    got.removeObject(forKey: "warnings")
    report(
      name,
      differences(expected["event"], got, "")
        + differences(expected["warnings"], warnings, ".warnings")
        + inECS.differences(expected["event"] as? NSDictionary ?? [:], lines))
  }
  for known in Differences.fromLibaudit where inECS.met.contains(known.path) {
    print("  known in ecs: \(known.path) (\(known.reason))")
  }
  let events = equal
  let allEvents = equal + different
  var records = RecordDocumentWriter()
  for (name, line, expected) in try goldens.parsed() {
    // go-libaudit takes no line that names its node.
    guard line.hasPrefix("type=") else {
      report(name, expected is NSNull ? [] : ["a line without a type at its beginning"])
      continue
    }
    let isEnd = line.hasPrefix("type=EOE ")
    // An EOE is in no event without another record.
    let other = line.replacingOccurrences(of: "type=EOE ", with: "type=CWD ")
    guard let event = event(isEnd ? [other, line] : [line]), let record = event.records.last else {
      report(name, expected is NSNull ? [] : ["not a record"])
      continue
    }
    report(name, differences(expected, object(records.document(record, in: event.bytes)), ""))
  }
  let others = Beats(folder: CommandLine.arguments[1])
  let (before, all) = (equal, equal + different)
  for file in others.files {
    for (name, differences) in try others.compared(file) { report(name, differences) }
  }
  print(
    "\(events) of \(allEvents) events and \(before - events) of \(all - allEvents) records are "
      + "equal; \(equal - before) of \(equal + different - all) documents in ECS")
  if equal + different == 0 { exit(2) }
  exit(different == 0 ? 0 : 1)
} catch {
  print("conformance: \(error)")
  exit(2)
}

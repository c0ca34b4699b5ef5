import AuditRecord
import EventDocument
import Foundation

@testable import AudispatchPlugin

/// One event of some lines, as if its EOE had come.
func event(_ lines: String...) -> AuditEvent { event(lines) }

func event(_ lines: [String]) -> AuditEvent { event(lines.map { Array($0.utf8) }) }

func event(_ lines: [[UInt8]]) -> AuditEvent {
  var event = events(lines, EventAssembler.Limits())[0]
  if event.ending == .endOfInput { event.ending = .end }
  return event
}

func events(_ lines: [String], _ limits: EventAssembler.Limits) -> [AuditEvent] {
  events(lines.map { Array($0.utf8) }, limits)
}

private func events(_ lines: [[UInt8]], _ limits: EventAssembler.Limits) -> [AuditEvent] {
  var assembler = EventAssembler(limits: limits)
  var events: [AuditEvent] = []
  var names = TypeNames()
  for line in lines {
    guard let header = RecordHeader(line.span) else { continue }
    let number = names.number(of: line.span.extracting(header.typeName))
    assembler.append(line.span, header, type: RecordType(rawValue: number), at: .zero)
    while let event = assembler.next() { events.append(event) }
  }
  assembler.finish()
  while let event = assembler.next() { events.append(event) }
  return events
}

extension DocumentWriter {
  /// An event's document as JSON takes it apart; empty when it is no JSON.
  mutating func parsed(_ event: AuditEvent) -> Members {
    Members(document(event))
  }
}

/// A JSON object, by paths like `a.b.0`.
struct Members {
  let value: Any?

  init(_ json: [UInt8]) { value = try? JSONSerialization.jsonObject(with: Data(json)) }

  /// What stands at a path as text: a list with commas, nothing as the empty text.
  subscript(_ path: String) -> String {
    var value = value
    for part in path.split(separator: ".") {
      if let list = value as? [Any] {
        value = Int(part).flatMap { list.indices.contains($0) ? list[$0] : nil }
      } else {
        value = (value as? [String: Any])?[String(part)]
      }
    }
    return Self.text(value)
  }

  private static func text(_ value: Any?) -> String {
    switch value {
    case let list as [Any]: list.map { text($0) }.joined(separator: ",")
    case let map as [String: Any]:
      "{" + map.keys.sorted().map { "\($0)=\(text(map[$0]))" }.joined(separator: " ") + "}"
    case .some(let one): "\(one)"
    case nil: ""
    }
  }
}

import AuditRecord
import Foundation
import Linux
import TestSupport
import Testing

@testable import AudispatchPlugin
@testable import SyslogSending
@testable import audispatch_syslog

/// Real records, and real records with bytes changed: what holds of any message.
@Suite("A message of any event")
struct AnyEventTests {
  static let lines: [[UInt8]] = {
    let folder = #filePath.split(separator: "/").dropLast(2).joined(separator: "/")
    let path = "/\(folder)/EnrichmentTests/Corpus/auditd-3.0.9-enriched.log"
    let bytes = (try? Transfer.contents(of: path, limit: 8 << 20)) ?? []
    return bytes.split(separator: 0x0a).map(Array.init)
  }()

  /// Every so many-th event, with bytes of its fields changed by a seed; 0 changes none.
  private func events(seed: UInt64) -> [AuditEvent] {
    var chance = Seeded(seed)
    func random(_ bound: Int) -> Int { chance.number(below: bound) }
    var assembler = EventAssembler()
    var types = TypeNames()
    var events: [AuditEvent] = []
    for var line in Self.lines {
      guard let header = RecordHeader(line.span) else { continue }
      if seed > 0, line.count > header.body {
        for _ in 0..<random(6) {
          let place = header.body + random(line.count - header.body)
          let byte = UInt8(random(256))
          if byte != 0x0a, byte != 0 { line[place] = byte }
        }
      }
      let type = RecordType(rawValue: types.number(of: line.span.extracting(header.typeName)))
      assembler.append(line.span, header, type: type, at: .zero)
      while let event = assembler.next() { events.append(event) }
    }
    assembler.finish()
    while let event = assembler.next() { events.append(event) }
    return stride(from: Int(seed % 5), to: events.count, by: 5).map { events[$0] }
  }

  private static let forms: [[String]] = [
    ["--body", "key_value"], ["--body", "json"], ["--body", "json", "interpret"],
    ["--body", "cef"], ["--body", "leef"], ["interpret"], ["--messages", "events"],
  ]

  @Test(arguments: forms, [UInt64(0), 1])
  func `keeps to its size and to one line, and names its event`(
    _ form: [String], _ seed: UInt64
  ) throws {
    let events = events(seed: seed)
    #expect(events.count > 100)
    for size in [480, 8096] {
      let arguments = form + ["--server", "tcp://h", "--max-size", "\(size)"]
      let line = try CommandLineSettings(arguments, SyslogOptions.keywords)
      let options = OptionSource<SyslogOptions>(line, usually: "/nowhere/x.conf", user: 0).load().0
      var writer = MessageWriter(options, host: "here", process: 7)
      for event in events {
        for message in writer.messages(of: event) {
          #expect(message.count <= size)
          let isLEEF = form.contains("leef")
          #expect(message.allSatisfy { $0 >= 0x20 || isLEEF && $0 == 0x09 })
          let text = text(message)
          #expect(text.contains("\(event.stamp.serial)"))
          guard form.contains("json"), let body = text.firstIndex(of: "{") else { continue }
          let json = try? JSONSerialization.jsonObject(with: Data(text[body...].utf8))
          let serial = (json as? [String: Any])?["serial"] as? UInt64
          #expect(serial == event.stamp.serial, "\(text)")
        }
      }
    }
  }
}

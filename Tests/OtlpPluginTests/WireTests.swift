import BulkIndexing
import Foundation
import Glibc
import Linux
import PluginHarness
import Testing

@testable import EventDocument
@testable import audispatch_otlp

/// Requests beside what the official definitions make of them: `Golden/decode.py` has decoded the
/// protobuf bodies by opentelemetry-proto into the JSON that stands beside them.
@Suite("A request")
struct WireTests {
  private static let document =
    #"{"a":"x\"\\\n\u0001é\ud83d\ude00","empty":"","n":{"zero":0,"minus":-1,"#
    + #""least":-9223372036854775808,"most":9223372036854775807,"beyond":9223372036854775808,"#
    + #""half":0.5,"far":1e400},"list":[1,"two",[3,[]],{"four":4},null,true,false],"none":{},"#
    + #""nothing":null,"long":"\#(String(repeating: "0123456789", count: 40))"}"#

  private static let records = [
    LogRecord(
      time: 1_700_000_000_123_000_000, observed: 1_700_000_001_000_000_000, severity: .warning,
      body: .document(values(of: document)),
      attributes: [
        ("event.id", .text("host:1700000000.123:5")), ("auditd.sequence", .number(5)),
        ("auditd.keys", .list(["passwd", "ä \u{1}\"", ""])), ("none", .list([])),
      ]),
    LogRecord(
      time: 1, observed: .max, severity: .info, body: .text(Array("plain \"text\"".utf8)),
      attributes: []),
  ]

  private static func request(_ encoding: OtlpEncoding) -> [UInt8] {
    let bytes = records.map(encoding.record)
    return encoding.request(
      ResourceGroup.groups([("host", bytes[0]), ("", bytes[1]), ("host", bytes[1])]))
  }

  private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Golden").path

  @Test func `in protobuf is what it was when it was decoded`() throws {
    let hex = Self.request(.protobuf).map { byte in
      String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
    }
    let path = "\(Self.folder)/request.hex"
    // For whoever changes what is sent: then run Golden/decode.py.
    if unsafe getenv("AUDISPATCH_WRITE_GOLDEN") != nil {
      try Data((hex.joined() + "\n").utf8).write(to: URL(fileURLWithPath: path))
    }
    let golden = String(decoding: try Transfer.contents(of: path, limit: 1 << 20), as: UTF8.self)
    #expect(golden == hex.joined() + "\n")
  }

  @Test func `in JSON says what the official definitions found in protobuf`() throws {
    func object(_ bytes: [UInt8]) throws -> NSDictionary {
      try #require(try JSONSerialization.jsonObject(with: Data(bytes)) as? NSDictionary)
    }
    let decoded = try object(
      try Transfer.contents(of: "\(Self.folder)/request.json", limit: 1 << 20))
    #expect(try object(Self.request(.json)) == decoded)
  }

  @Test func `has the records of a node together, in their order`() {
    let groups = ResourceGroup.groups([("a", [1]), ("b", [2]), ("a", [3]), ("", [4]), ("b", [5])])
    #expect(groups.map(\.node) == ["a", "b", ""])
    #expect(groups.map(\.records) == [[[1], [3]], [[2], [5]], [[4]]])
    #expect(groups[2].attributes.map(\.name) == ["service.name"])
  }

  /// What stands in a JSON text.
  private static func values(of json: String) -> DocumentValues {
    var bytes: [UInt8] = []
    var items: [DocumentValues.Item] = []
    func add(_ kind: DocumentValues.Kind, _ text: some Sequence<UInt8> = []) {
      let start = bytes.count
      bytes += text
      items.append(DocumentValues.Item(kind: kind, place: Text(start..<bytes.count)))
    }
    func value(_ reader: inout JSONReader) throws(JSONFault) {
      switch try reader.kind() {
      case .object:
        add(.object)
        try reader.object { (reader: inout JSONReader, name) throws(JSONFault) in
          add(.name, name)
          try value(&reader)
        }
        add(.end)
      case .array:
        add(.array)
        try reader.array { (reader: inout JSONReader) throws(JSONFault) in try value(&reader) }
        add(.end)
      case .string: add(.text, try reader.string())
      case .number: add(.number, try reader.raw())
      case .word:
        let word = String(decoding: try reader.raw(), as: UTF8.self)
        add(word == "null" ? .null : word == "true" ? .yes : .no)
      }
    }
    var reader = JSONReader(Array(json.utf8))
    do throws(JSONFault) { try value(&reader) } catch { Issue.record("\(error)") }
    return DocumentValues(bytes: bytes, items: items)
  }
}

import AudispatchPlugin
import AuditRecord
import Foundation
import ProcessContext
import TestSupport
import Testing

@testable import EventDocument

@Suite("The values of a document")
struct DocumentValuesTests {
  private static let stamp = "msg=audit(1490995752.400:5): "

  private static let events: [[String]] = [
    [ECSFormTests.call, ECSFormTests.folder, ECSFormTests.path("name=\"x\" mode=0100644")],
    [
      "type=SYSCALL \(stamp)arch=c000003e syscall=59 success=yes exit=0 ppid=1 pid=2 auid=1000 "
        + "uid=0 comm=5C78343122FF0A exe=\"/b\" key=(null)\u{1d}AUID=\"ann\" SADDR={ a=\"\\\" }",
      "type=EXECVE \(stamp)argc=3 a0=\"s\\h\" a1=0001025C FF20 a2=C3BCFC7F",
      "type=PROCTITLE \(stamp)proctitle=736800FF22",
    ],
    [
      "type=SYSCALL \(stamp)arch=c000003e syscall=42 success=no exit=-2 pid=2 auid=1000 uid=0",
      "type=SOCKADDR \(stamp)saddr=0200D431C00002070000000000000000",
      "type=AVC \(stamp)avc:  denied  { read write } for  pid=1 x.y\"z=%+\t1",
    ],
    ["type=USER_LOGIN \(stamp)pid=8 uid=0 auid=? msg='op=login id=0 addr=10.0.0.1 res=success'"],
    ["type=PATH \(stamp)item=0 name=\"a\"", "type=PATH \(stamp)item=1 name=?"],
  ]

  /// The values as JSON has them, and what is behind.
  private func json(_ values: DocumentValues, _ place: inout Int) -> Any {
    let (kind, bytes) = values[place]
    place += 1
    let text = String(decoding: bytes, as: UTF8.self)
    switch kind {
    case .object:
      var members: [String: Any] = [:]
      while values[place].kind == .name {
        let name = String(decoding: values[place].text, as: UTF8.self)
        place += 1
        members[name] = json(values, &place)
      }
      place += 1
      return members
    case .array:
      var items: [Any] = []
      while values[place].kind != .end { items.append(json(values, &place)) }
      place += 1
      return items
    case .number: return NSNumber(value: Int(text) ?? -1)
    case .text: return text
    case .yes, .no: return kind == .yes
    case .null: return NSNull()
    case .name, .end:
      Issue.record("\(kind) is no value")
      return ""
    }
  }

  private func expectSame(
    _ form: DocumentForm, _ options: DocumentOptions, _ event: AuditEvent
  ) throws -> Int {
    var writer = DocumentWriter(form, options)
    let document = writer.document(event)
    let wasCut = writer.cut
    let values = writer.values(of: event)
    #expect(writer.cut == wasCut * 2)
    var place = 0
    let found = try #require(json(values, &place) as? NSDictionary)
    #expect(place == values.count)
    let expected = try JSONSerialization.jsonObject(with: Data(document)) as? NSDictionary
    #expect(found == expected, "\(String(decoding: document, as: UTF8.self))")
    return document.count
  }

  @Test(arguments: DocumentForm.allCases)
  func `are those that its JSON has, and cut where that is`(_ form: DocumentForm) throws {
    var options = ECSFormTests.options()
    options.laurel.translatesCalls = true
    options.laurel.translatesUsers = true
    options.keepsOriginal = true
    for lines in Self.events {
      let event = event(lines)
      options.maximumSize = 1 << 20
      let size = try expectSame(form, options, event)
      // Bytes are counted as JSON has them, so that both are cut or neither is.
      for limit in [size, size - 1, size / 2] {
        options.maximumSize = limit
        _ = try expectSame(form, options, event)
      }
    }
  }

  @Test(arguments: DocumentForm.allCases, UInt64(1)...4)
  func `are those that its JSON has, whatever the bytes are`(
    _ form: DocumentForm, _ seed: UInt64
  ) throws {
    var chance = Seeded(seed)
    for _ in 0..<40 {
      var lines = Self.events[chance.number(below: Self.events.count)].map { Array($0.utf8) }
      for index in lines.indices {
        let body = Self.stamp.utf8.count + 20
        for _ in 0..<chance.number(below: 8) where lines[index].count > body {
          let place = body + chance.number(below: lines[index].count - body)
          let byte = UInt8(chance.number(below: 256))
          if byte != 0x0a { lines[index][place] = byte }
        }
      }
      _ = try expectSame(form, ECSFormTests.options(), event(lines))
    }
  }
}

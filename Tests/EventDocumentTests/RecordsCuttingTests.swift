import AudispatchPlugin
import AuditRecord
import Foundation
import TestSupport
import Testing

@testable import EventDocument

@Suite("What is left of a document of records")
struct RecordsCuttingTests {
  private static let stamp = "msg=audit(1763680803.855:724):"
  private static let call =
    "type=SYSCALL \(Self.stamp) arch=c000003e syscall=59 success=yes exit=0 a0=3 a1=55d a2=0 "
    + "a3=7f items=2 ppid=1 pid=2 auid=1000 uid=1000 gid=1000 euid=0 suid=0 fsuid=0 egid=0 "
    + "sgid=0 fsgid=0 tty=pts0 ses=3 comm=\"su\" exe=\"/usr/bin/su\" subj=unconfined key=\"privesc\""
  private static let folder = "type=CWD \(Self.stamp) cwd=\"/\""

  /// Of everybody's making: as many arguments as they like.
  private static func arguments(_ count: Int) -> String {
    let list = (1..<count).map { "a\($0)=\"1\"" }.joined(separator: " ")
    return "type=EXECVE \(Self.stamp) argc=\(count) a0=\"su\" \(list)"
  }

  private static func path(_ item: Int) -> String {
    "type=PATH \(Self.stamp) item=\(item) name=\"/sys/kernel/tracing/\(item)\" inode=\(item) "
      + "dev=00:0c mode=0100640 ouid=0 ogid=0 rdev=00:00 nametype=CREATE cap_fp=0 cap_fi=0"
  }

  private struct Left {
    var keys: [String]
    var types: [String]
    var records: [[String: Any]]
    var size: Int
    var cutRecords: Int

    func fields(_ type: String) -> [String: String] {
      let record = records.first { $0["type"] as? String == type }
      return record?["fields"] as? [String: String] ?? [:]
    }
    func cutFields(_ type: String) -> Int? {
      records.first { $0["type"] as? String == type }?["cut_fields"] as? Int
    }
  }

  private func left(_ lines: [String], _ limit: Int) throws -> Left {
    let event = event(lines)
    var reader = ContentReader()
    reader.read(event, event.records, keys: event.ruleKeys())
    let content = reader.content
    var writer = RecordsWriter()
    let body = writer.document(content, limit: limit)
    #expect(body.count <= limit)
    #expect(String(validating: body, as: UTF8.self) != nil)
    let json = try JSONSerialization.jsonObject(with: Data(body))
    let object = try #require(json as? [String: Any], "\(String(decoding: body, as: UTF8.self))")
    let records = try #require(object["records"] as? [[String: Any]])
    let cut = object["cut_records"] as? Int ?? 0
    #expect(object["serial"] as? UInt64 == event.stamp.serial)
    #expect(
      records.count + cut == content.records.count, "\(String(decoding: body, as: UTF8.self))")
    return Left(
      keys: object["keys"] as? [String] ?? [], types: records.compactMap { $0["type"] as? String },
      records: records, size: body.count, cutRecords: cut)
  }

  @Test(arguments: [300, 600, 699, 700, 2000, 5000])
  func `says who ran what however many arguments there are`(_ count: Int) throws {
    let lines = [Self.call, Self.arguments(count), Self.folder, Self.path(0)]
    let left = try left(lines, 8096)
    #expect(left.keys == ["privesc"])
    #expect(left.types == ["SYSCALL", "EXECVE", "CWD", "PATH"])
    #expect(left.cutRecords == 0)
    let call = left.fields("SYSCALL")
    #expect(call["exe"] == "/usr/bin/su" && call["auid"] == "1000" && call.count == 26)
    #expect(left.fields("EXECVE")["a0"] == "su")
    #expect(left.fields("EXECVE").count + (left.cutFields("EXECVE") ?? 0) == count + 1)
    if count > 699 { #expect(left.size > 8096 - 64) }
  }

  @Test(arguments: [5, 40, 100, 400, 5000])
  func `says who did it however many paths there are`(_ count: Int) throws {
    let left = try left([Self.call] + (0..<count).map(Self.path), 8096)
    #expect(left.keys == ["privesc"])
    #expect(left.fields("SYSCALL")["exe"] == "/usr/bin/su")
    #expect(left.types.count + left.cutRecords == count + 1)
    if count > 40 { #expect(left.types.count > 30 && left.size > 8096 - 128) }
  }

  @Test func `says who did it when others come first`() throws {
    let others = (0..<200).map { "type=AVC \(Self.stamp) avc:  denied  { read } for  pid=\($0)" }
    let left = try left(others + [Self.call], 8096)
    #expect(left.fields("SYSCALL")["exe"] == "/usr/bin/su")
    #expect(left.types.last == "SYSCALL" && left.cutRecords > 0)
  }

  @Test func `keeps the telling fields longest`() throws {
    for limit in 400..<600 {
      let left = try left([Self.call, Self.arguments(50)], limit)
      let call = left.fields("SYSCALL")
      #expect(call["exe"] == "/usr/bin/su" && call["auid"] == "1000" && call["key"] == "privesc")
      #expect(call.count + (left.cutFields("SYSCALL") ?? 0) == 26)
    }
  }

  @Test func `keeps a long name of a program though arguments are long`() throws {
    let name = "/home/alice/" + String(repeating: "n", count: 200) + "/evil"
    let call = Self.call.replacing("/usr/bin/su", with: name)
    let long = String(repeating: "x", count: 100)
    let execve = Self.arguments(150).replacing("\"1\"", with: "\"\(long)\"")
    let left = try left([call, execve, Self.folder], 8096)
    #expect(left.fields("SYSCALL")["exe"] == name)
    #expect(left.types.count == 3)
  }

  @Test func `is all of it when it fits exactly`() throws {
    let lines = [Self.call, Self.arguments(90), Self.folder]
    let whole = try left(lines, 1 << 20).size
    #expect(try left(lines, whole).size == whole)
    #expect(try left(lines, whole).cutFields("EXECVE") == nil)
    let less = try left(lines, whole - 1)
    #expect(less.cutFields("EXECVE") ?? 0 > 0 && less.size > whole - 64)
  }

  @Test(arguments: UInt64(1)...6)
  func `is JSON with every name once at any size`(_ seed: UInt64) throws {
    var chance = Seeded(seed)
    func random(_ bound: Int) -> Int { chance.number(below: bound) }
    func word(_ longest: Int) -> [UInt8] {
      (0..<random(longest)).map { _ in [0x61, 0x61, 0x5c, 0x22, 0x0a, 0xff, 0xc3, 0xa4][random(8)] }
    }
    var writer = RecordsWriter()
    for _ in 0..<6 {
      var content = EventContent()
      content.begin(
        [], RecordStamp(milliseconds: 1_763_680_803_855, serial: UInt64(UInt32.max)),
        isContinuation: random(2) == 0)
      if random(2) > 0 { content.nodePlace = content.text.add(word(300)) }
      for _ in 0..<random(4) { content.keyPlaces.append(content.text.add(word(200))) }
      for index in 0..<random(12) {
        content.beginRecord(content.text.add(index == random(4) ? Array("SYSCALL".utf8) : word(40)))
        for _ in 0..<random([3, 60][random(2)]) {
          content.add(content.text.add(word(4)), content.text.add(word([4, 400][random(2)])))
        }
      }
      let records = content.records
      for limit in [84, 97, 130, 200, 333, 480, 1000, 2048, 8096] {
        let body = writer.document(content, limit: limit)
        #expect(body.count <= limit)
        let json = try JSONSerialization.jsonObject(with: Data(body))
        let object = try #require(json as? [String: Any])
        let left = try #require(object["records"] as? [[String: Any]])
        guard let cut = object["cut_records"] as? Int ?? (left.isEmpty ? nil : 0) else { continue }
        #expect(left.count + cut == records.count)
        guard cut == 0 else { continue }
        for (record, whole) in zip(left, records) {
          let fields = try #require(record["fields"] as? [String: String])
          #expect(fields.count + (record["cut_fields"] as? Int ?? 0) == whole.own.count)
        }
      }
    }
  }
}

import AudispatchPlugin
import AuditRecord
import Foundation
import Testing

@testable import EventDocument

@Suite("A document of records")
struct RecordsWriterTests {
  private static func text(_ lines: [String], limit: Int = 1 << 20) -> String {
    let event = event(lines)
    var reader = ContentReader()
    reader.read(event, event.records, keys: event.ruleKeys())
    var writer = RecordsWriter()
    return String(decoding: writer.document(reader.content, limit: limit), as: UTF8.self)
  }

  private static let stamp = "msg=audit(1763680803.855:724):"

  @Test func `has each record with its fields, and apart what auditd added`() {
    let lines = [
      "node=web1 type=SYSCALL \(Self.stamp) arch=c000003e syscall=59 success=no exit=-13 auid=1000 "
        + "comm=6D6B20 key=\"logins\"\u{1d}ARCH=x86_64 SYSCALL=execve AUID=\"alice\"",
      "node=web1 type=EXECVE \(Self.stamp) argc=2 a0=\"mkdir\" a1=617C623D5C22FF0A",
      "node=web1 type=PROCTITLE \(Self.stamp) proctitle=6D6B646972007800",
    ]
    #expect(
      Self.text(lines)
        == #"{"time":"2025-11-20T23:20:03.855Z","serial":724,"node":"web1","keys":["logins"],"#
        + #""records":[{"type":"SYSCALL","fields":{"arch":"c000003e","syscall":"59","success":"no","#
        + #""exit":"-13","auid":"1000","comm":"mk ","key":"logins"},"enriched":{"ARCH":"x86_64","#
        + #""SYSCALL":"execve","AUID":"alice"}},{"type":"EXECVE","fields":{"argc":"2","a0":"mkdir","#
        + #""a1":"a|b=\\\"\\xff\n"}},{"type":"PROCTITLE","fields":{"proctitle":"mkdir x"}}]}"#)
  }

  /// `\x5c` stands for a backslash that would make an escape of what follows.
  @Test func `has no NUL, and every byte that is no text by its number`() {
    let document = Self.text(["type=USER_TTY \(Self.stamp) data=00015C7836311FC3BCFC7F"])
    #expect(document.contains(#""data":"\\x00\u0001\\x5cx61\u001fü\\xfc\u007f""#), "\(document)")
  }

  static let repeated: [([String], [String])] = [
    (["uid", "uid", "uid"], ["uid", "uid_2", "uid_3"]),
    (["uid", "uid_2", "uid"], ["uid", "uid_2", "uid_3"]),
    (["uid", "uid", "uid_2", "uid"], ["uid", "uid_2", "uid_2_2", "uid_3"]),
    (["uid", "UID", "Uid_2"], ["uid", "UID_2", "Uid_2_2"]),
  ]

  @Test(arguments: repeated)
  func `gives no name twice`(_ names: [String], _ expected: [String]) {
    let fields = names.map { "\($0)=1" }.joined(separator: " ")
    let document = Self.text(["type=USER \(Self.stamp) \(fields)"])
    let pairs = expected.map { "\"\($0)\":\"1\"" }.joined(separator: ",")
    #expect(document.contains("\"fields\":{\(pairs)}"), "\(document)")
  }

  @Test func `gives no name twice where names are cut`() {
    let names = ["a", "b"].map { String(repeating: "n", count: 3000) + $0 }
    let document = Self.text(
      ["type=USER \(Self.stamp) \(names[0])=1 \(names[1])=1"], limit: 480)
    let cut = String(repeating: "n", count: 128) + "…[+2873 bytes]"
    #expect(document.contains("\"\(cut)\":\"1\",\"\(cut)_2\":\"1\""), "\(document)")
  }

  /// So many that they are looked for by a set of keys.
  @Test func `gives no name twice among hundreds`() throws {
    let fields = (0..<600).map { "n\($0 % 300)=\($0)" }.joined(separator: " ")
    let document = Self.text(["type=USER \(Self.stamp) \(fields) n0=600"])
    let json = try JSONSerialization.jsonObject(with: Data(document.utf8)) as? [String: Any]
    let record = try #require((json?["records"] as? [[String: Any]])?.first)
    let found = try #require(record["fields"] as? [String: String])
    #expect(found.count == 601)
    #expect(found["n299"] == "299" && found["n299_2"] == "599" && found["n0_3"] == "600")
  }

  @Test(arguments: Array(stride(from: 480, through: 2000, by: 37)))
  func `stays JSON and names its event when it is cut`(_ size: Int) throws {
    let long = (0..<90).map { "a\($0)=\"\(String(repeating: "x", count: $0 * 3))\"" }
    let document = Self.text(
      [
        "type=SYSCALL \(Self.stamp) arch=c000003e syscall=59 success=no exe=\"/usr/bin/mkdir\"",
        "type=EXECVE \(Self.stamp) argc=90 \(long.joined(separator: " "))",
      ], limit: size)
    #expect(document.utf8.count <= size)
    let json = try JSONSerialization.jsonObject(with: Data(document.utf8))
    #expect((json as? [String: Any])?["serial"] as? Int == 724)
  }
}

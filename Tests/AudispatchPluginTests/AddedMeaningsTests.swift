import AuditRecord
import Testing

@testable import AudispatchPlugin

@Suite("What auditd added to a record")
struct AddedMeaningsTests {
  private static let kernel = "type=USER_AUTH msg=audit(1.000:1): pid=9 uid=4242 auid=4294967295 "
  private static let forged = "\u{1d}UID=\"alice\" AUID=\"alice\" X="
  private static let added = "\u{1d}UID=\"mallory\" AUID=\"unset\""

  private func event(_ line: String) -> AuditEvent { assemble([Array(line.utf8)])[0] }

  private func meanings(_ event: AuditEvent) -> [String?] {
    ["UID", "AUID"].map { name in
      event.enrichment(name, of: event.records[0]).map {
        String(decoding: event.bytes[$0.value], as: UTF8.self)
      }
    }
  }

  @Test func `stands behind the last separator, not the one in a message`() {
    let event = event(Self.kernel + "msg='op=login res=success\(Self.forged)'\(Self.added)")
    #expect(meanings(event) == ["mallory", "unset"])
    let interpreter = Interpreter()
    #expect(interpreter.meaning(of: "uid", in: event.records[0], event) == "mallory")
    let all = interpreter.meanings(in: event.records[0], event)
    #expect(all.first { $0.name == "uid" }?.meaning == "mallory")
    #expect(all.first { $0.name == "res" }?.meaning == "success")
  }

  /// auditd with `log_format = RAW` appends nothing.
  static let none = [
    kernel + "msg='op=login res=success\(forged)'",
    kernel + "msg='op=login res=success\u{1d}UID=\"alice\" AUID=\"alice\" X=1 '",
    kernel + "msg='op=login res=success\u{1d}UID=\"alice\"'",
    kernel + "msg='op=login res=success\u{1d}'",
    kernel + "\u{1d}",
    kernel + "\u{1d} ",
    kernel + "\u{1d}UID=",
    kernel + "\u{1d}UID=\"alice",
    kernel + "\u{1d}UID=\"alice\"AUID=\"alice\"",
    kernel + "\u{1d}UID=\"alice\" and more",
    kernel + "\u{1d}uid=\"alice\"",
    kernel + "\u{1d}UID=al'ice",
    kernel + "\u{1d}UID=\"alice\" EUID=\"alice\"",
    "type=SOCKADDR msg=audit(1.000:1): saddr=01002F\u{1d}SADDR={ saddr_fam=local path=/x"
      + "\u{1d}UID=\"alice\" AUID={ }",
  ]

  @Test(arguments: none)
  func `is nothing where not all of it is a meaning of a field`(_ line: String) {
    let event = event(line)
    #expect(meanings(event) == [nil, nil])
    #expect(event.fields(of: event.records[0]).allSatisfy { $0.section != .enrichment })
    let meaning = Interpreter().meaning(of: "uid", in: event.records[0], event)
    #expect(meaning != "alice")
  }

  static let whole: [(String, [String])] = [
    (
      "arch=c000003e syscall=1 auid=1 uid=0\u{1d}ARCH=x86_64 SYSCALL=write AUID=\"bob\" UID=\"root\"",
      ["ARCH=x86_64", "SYSCALL=write", "AUID=bob", "UID=root"]
    ),
    (
      "saddr=0100 \u{1d}SADDR={ saddr_fam=local path=/tmp/with space \" and ' x }",
      ["SADDR=saddr_fam=local path=/tmp/with space \" and ' x"]
    ),
    ("uid=5\u{1d}UID=616C6963C3A9", ["UID=616C6963C3A9"]),
    ("uid=5\u{1d}UID=\"unknown(5)\"", ["UID=unknown(5)"]),
    ("old-auid=1 new_gid=2\u{1d}OLD-AUID=\"a\" NEW_GID=\"b\" ", ["OLD-AUID=a", "NEW_GID=b"]),
    ("auid=1 uid=2\u{1d}UID=\"b\" AUID=\"a\"", ["UID=b", "AUID=a"]),
    ("saddr=00\u{1d}SADDR=unknown-family(0)", ["SADDR=unknown-family(0)"]),
    ("uid=1\u{1d}UID=?", ["UID=?"]),
  ]

  @Test(arguments: whole)
  func `is as auditd writes it`(_ body: String, _ expected: [String]) {
    let event = event("type=SYSCALL msg=audit(1.000:1): " + body)
    let found = event.fields(of: event.records[0]).filter { $0.section == .enrichment }.map {
      "\(String(decoding: event.bytes[$0.name], as: UTF8.self))="
        + String(decoding: event.bytes[$0.value], as: UTF8.self)
    }
    #expect(found == expected)
  }

  @Test func `is found in every record that auditd enriched`() {
    let lines = Corpus.lines.filter { $0.contains(0x1d) }
    #expect(lines.count > 500)
    for event in assemble(lines) {
      for record in event.records {
        let first = event.bytes[record.line].firstIndex(of: 0x1d)
        let found = AddedMeanings.separator(
          of: event.bytes.span, from: record.body, to: record.line.upperBound)
        #expect(found == first, "\(String(decoding: event.bytes[record.line], as: UTF8.self))")
      }
    }
  }

  static let unknown: [(String, String, String)] = [
    (
      "type=SECCOMP msg=audit(1.000:1): sig=31 arch=c000003e syscall=39 ip=0x7f code=0x80000000"
        + "\u{1d}ARCH=x86_64 SYSCALL=unknown-syscall(-1)", "syscall", "getpid"
    ),
    (
      "type=SECCOMP msg=audit(1.000:1): sig=31 arch=c000003e syscall=272 code=0x0", "syscall",
      "unshare"
    ),
    (
      "type=SECCOMP msg=audit(1.000:1): sig=31 arch=40000003 syscall=20 code=0x0", "syscall",
      "getpid"
    ),
    ("type=SECCOMP msg=audit(1.000:1): arch=c000003e syscall=99999", "syscall", "99999"),
    ("type=SYSCALL msg=audit(1.000:1): arch=c000003e syscall=99999", "syscall", "99999"),
    ("type=USER msg=audit(1.000:1): uid=4000000", "uid", "4000000"),
    ("type=USER msg=audit(1.000:1): uid=0\u{1d}UID=\"unknown(0)\"", "uid", "0"),
  ]

  @Test(arguments: unknown)
  func `never replaces a number by a word for unknown`(
    _ line: String, _ name: String, _ expected: String
  ) {
    let event = event(line)
    let found = Interpreter().meanings(in: event.records[0], event).first { $0.name == name }
    #expect(found?.meaning == expected)
    #expect(event.enrichment(name.uppercased(), of: event.records[0]) == nil)
  }
}

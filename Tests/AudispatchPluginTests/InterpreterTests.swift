import AuditRecord
import Testing

@testable import AudispatchPlugin

@Suite("What libauparse says of a record")
struct InterpreterTests {
  static let records: [(String, [String: String])] = [
    (
      "type=SYSCALL msg=audit(1.000:1): arch=c000003e syscall=257 success=no exit=-13 "
        + "a0=ffffff9c a1=7f a2=241 a3=1b6 auid=4294967295 uid=0",
      [
        "arch": "x86_64", "syscall": "openat", "exit": "EACCES(Permission denied)",
        "a2": "O_WRONLY|O_CREAT|O_TRUNC", "auid": "unset", "uid": "root",
      ]
    ),
    (
      "type=CAPSET msg=audit(1.000:1): pid=7 cap_pi=0 cap_pp=400 cap_pe=400",
      ["cap_pp": "net_bind_service", "cap_pi": "none"]
    ),
    (
      "type=PATH msg=audit(1.000:1): item=0 name=2F6120FF mode=0104755 ouid=0 nametype=NORMAL",
      ["mode": "file,suid,755", "ouid": "root"]
    ),
    ("type=MMAP msg=audit(1.000:1): fd=3 flags=0x2", ["flags": "MAP_PRIVATE"]),
  ]

  @Test(arguments: records.indices)
  func `is the same field by field and all at once`(_ index: Int) throws {
    let (line, expected) = Self.records[index]
    let event = try #require(assemble([Array(line.utf8)]).first)
    let interpreter = Interpreter()
    let all = interpreter.meanings(in: event.records[0], event)
    for (name, meaning) in expected {
      #expect(all.first { $0.name == name }?.meaning == meaning)
      #expect(interpreter.meaning(of: name, in: event.records[0], event) == meaning)
    }
    let names = event.fields(of: event.records[0]).map {
      String(decoding: event.bytes[$0.name], as: UTF8.self)
    }
    #expect(all.map(\.name).suffix(names.count) == names[...])
  }

  /// auditd's own meanings count, so that nothing is looked up again on another host.
  @Test func `is what auditd found, where it says so`() throws {
    let line = "type=SYSCALL msg=audit(1.000:1): arch=c000003e syscall=2 uid=0\u{1d}UID=\"admin\""
    let event = try #require(assemble([Array(line.utf8)]).first)
    #expect(Interpreter().meaning(of: "uid", in: event.records[0], event) == "admin")
    let names = Interpreter().meanings(in: event.records[0], event).map(\.name)
    #expect(names.contains("uid") && !names.contains("UID"))
  }

  static let whole: [(String, String)] = [
    (
      "type=AVC msg=audit(1.000:1): apparmor=\"DENIED\" info=\"Failed name lookup\" error=-13 ouid=0",
      "apparmor=DENIED|info=Failed name lookup|error=-13|ouid=root"
    ),
    (
      "type=SOFTWARE_UPDATE msg=audit(1.000:1): pid=1 uid=0 msg='op=install sw=\"a b c\" "
        + "sw_type=rpm exe=\"/x y\" res=success'",
      "pid=1|uid=root|op=install|sw=a b c|sw_type=rpm|exe=/x y|res=success"
    ),
    ("type=PATH msg=audit(1.000:1): item=0 dev=\"sda1\" ouid=0", "item=0|dev=sda1|ouid=root"),
    ("type=SOCKADDR msg=audit(1.000:1): saddr=", "saddr="),
    ("type=USER msg=audit(1.000:1): a= b=1 a=2 c=", "a=|b=1|a=2|c="),
    (
      "type=AVC msg=audit(1.000:1): avc:  denied  { read write } for  pid=1 dev=\"sda1\"",
      "seresult=denied|seperms=read,write|pid=1|dev=sda1"
    ),
    (
      "type=USER_AVC msg=audit(1.000:1): pid=1 uid=0 msg='avc:  denied  { send } for a=x res=1'",
      "pid=1|uid=root|seresult=denied|seperms=send|a=x|res=yes"
    ),
  ]

  @Test(arguments: whole)
  func `has every field whole`(_ line: String, _ expected: String) throws {
    let event = try #require(assemble([Array(line.utf8)]).first)
    let all = Interpreter().meanings(in: event.records[0], event).filter { $0.name != "type" }
    #expect(all.map { "\($0.name)=\($0.meaning)" }.joined(separator: "|") == expected)
  }

  /// Our decoding of names and arguments beside libauparse's own.
  @Test func `has the same bytes as our decoding`() {
    var generator = GeneratedEvents(seed: 5)
    var compared = 0
    for event in assemble(generator.lines(500, [.cut])) {
      for record in event.records where record.type == .path {
        guard let field = event.field("name", of: record) else { continue }
        let theirs = Interpreter().meaning(of: "name", in: record, event)
        let ours = event.decoded(field, of: record)
        // Cut hex stays as it is here, and libauparse makes of it what it can; nothing is no value.
        guard field.quoting == .double || ours.count * 2 == field.value.count, !ours.isEmpty
        else { continue }
        #expect(theirs == String(decoding: ours, as: UTF8.self))
        compared += 1
      }
    }
    #expect(compared > 500)
  }
}

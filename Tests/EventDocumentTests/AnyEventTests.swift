import AudispatchPlugin
import AuditRecord
import EventDocument
import Foundation
import ProcessContext
import TestSupport
import Testing

/// Documents of lines that no kernel would write.
@Suite("Documents of any bytes")
struct AnyEventTests {
  static let types = [
    "SYSCALL", "EXECVE", "PATH", "CWD", "SOCKADDR", "PROCTITLE", "AVC", "USER_AUTH", "LOGIN",
    "USER_END", "SECCOMP", "CONFIG_CHANGE", "BPF", "NOT_A_TYPE", "UNKNOWN[1399]", "ADD_USER",
  ]
  static let words = [
    "arch=c000003e", "syscall=59", "syscall=-1", "syscall=99999999999999999999", "argc=3",
    "argc=4294967295", "a0=\"x\"", "a1[0]=61", "a1[1]=FF", "a2=", "a0=C3", "name=2F61FF",
    "name=(null)",
    "saddr=0200", "saddr=0A00", "saddr=0100FF00FF", "saddr=1", "key=0101", "key=\"key=\"", "msg='",
    "acct=\"b\"", "'", "\"", "avc:  denied  {", "} for ", "old ", "exit=-1", "exit=-99999",
    "sig=400",
    "uid=-1", "auid=18446744073709551616", "mode=0777777777777777777777777", "mode=9", "pid=x",
    "exe=\"/\\\"x\"", "proctitle=00", "subj=:::::::", "obj=a", "res=", "success=YES", "=", "a=b=c",
    "\u{1d}UID=\"root\"", "\u{1d}", "a.b=1", "socket=1", "socket_addr=2", "nametype=PARENT",
    "ouid=1", "ppid=6", "pid=7", "pid=8", "success=yes", "exit=8", "opid=6", "OPID=1", "SADDR=1",
    "ARCH=1", "UID=2", "Uid=3", "uid=0", "ses=4",
    "arch=c000003e syscall=59 success=yes pid=7 ppid=6",
  ]

  private func line(_ random: inout Seeded) -> [UInt8] {
    let type = Self.types[random.number(below: Self.types.count)]
    var line = Array("type=\(type) msg=audit(1490995752.123:7): ".utf8)
    for _ in 0..<random.number(below: 12) {
      if random.number(below: 6) == 0 {
        for _ in 0..<random.number(below: 9) {
          let byte = UInt8(random.number(below: 256))
          if byte != 0x0a, byte != 0 { line.append(byte) }
        }
      } else {
        line += Self.words[random.number(below: Self.words.count)].utf8
      }
      if random.number(below: 8) > 0 { line.append(0x20) }
    }
    return line
  }

  @Test(arguments: DocumentForm.allCases, [UInt64(1), 2, 3, 4])
  func `are valid JSON in valid UTF-8, on one line`(_ form: DocumentForm, _ seed: UInt64) {
    var random = Seeded(seed)
    var options = ECSFormTests.options()
    options.maximumSize = 4096
    options.keepsOriginal = seed.isMultiple(of: 2)
    options.laurel.translatesCalls = seed.isMultiple(of: 2)
    options.laurel.translatesUsers = seed > 2
    options.laurel.hasArgumentText = true
    options.laurel.hasParentInfo = true
    options.laurel.argumentLimit = seed == 1 ? nil : 10
    var settings = ContextSettings()
    settings.labels.label(key: Array("key=".utf8))
    settings.hashLimit = 1
    var tracker = ProcessTracker(settings, source: FewProcesses())
    var writer = DocumentWriter(form, options)
    for _ in 0..<300 {
      let lines = (0...random.number(below: 5)).map { _ in line(&random) }
      let event = event(lines)
      let context = tracker.note(event, now: event.stamp.milliseconds)
      let document = writer.document(event, context)
      let parsed = try? JSONSerialization.jsonObject(with: Data(document)) as? [String: Any]
      let isText = String(validating: document, as: UTF8.self) != nil
      #expect(parsed != nil && isText && !document.contains(0x0a), "\(lines)")
      let twice = Self.nameTwice(document)
      #expect(twice == nil, "\(lines.map { String(decoding: $0, as: UTF8.self) })")
      if form != .libaudit { #expect(document.count <= 4096) }
    }
  }

  /// What is kept from event to event to write less anew is never seen.
  @Test(arguments: DocumentForm.allCases, [UInt64(5), 6])
  func `are the same whatever was written before`(_ form: DocumentForm, _ seed: UInt64) {
    var random = Seeded(seed)
    var options = ECSFormTests.options()
    if seed == 6 { options.maximumSize = 4096 }
    var lines = (0..<50).map { _ in line(&random) }
    lines += Self.usual.map { Array($0.utf8) }
    var settings = ContextSettings()
    settings.hashLimit = 1
    settings.environment = [Array("HOME".utf8)]
    var tracker = ProcessTracker(settings, source: FewProcesses())
    var writer = DocumentWriter(form, options)
    for _ in 0..<200 {
      let event = event(
        (0...random.number(below: 5)).map { _ in lines[random.number(below: lines.count)] })
      let context = tracker.note(event, now: event.stamp.milliseconds)
      var other = DocumentWriter(form, options)
      let document = writer.document(event, context)
      #expect(
        document == other.document(event, context), "\(String(decoding: document, as: UTF8.self))")
    }
  }

  private static let usual = [
    "SYSCALL ~arch=c000003e syscall=59 success=yes exit=0 items=2 ppid=6 pid=7 auid=1000 uid=0 gid=0 "
      + "euid=0 egid=0 tty=pts0 ses=4 comm=\"a\" exe=\"/bin/a\" key=\"k\"",
    "SYSCALL ~arch=c000003e syscall=59 success=yes exit=0 items=2 ppid=7 pid=8 auid=1000 uid=1000 "
      + "gid=0 comm=\"b\" exe=\"/bin/b\" subj=u:r:t:s0 key=\"k\"\u{1d}AUID=\"joe\" UID=\"joe\"",
    "SYSCALL ~arch=c000003e syscall=257 success=yes exit=3 items=1 ppid=6 pid=7 auid=1000 uid=0 gid=0 "
      + "euid=0 egid=0 comm=\"c\" exe=\"/bin/c\"",
    "EXECVE ~argc=2 a0=\"a\" a1=\"b\"", "EXECVE ~argc=2 a0=\"a\" a1=6162", "CWD ~cwd=\"/root\"",
    "PATH ~item=0 name=\"/bin/a\" inode=1 dev=fe:00 mode=0100755 ouid=0 ogid=0 nametype=NORMAL",
    "PATH ~item=0 name=\"b\" inode=1 dev=fe:00 mode=0100755 ouid=0 ogid=0 nametype=CREATE\u{1d}"
      + "OUID=\"root\" OGID=\"root\"",
    "PATH ~item=1 name=2F62C3A4 inode=1 mode=0100755 ouid=1 obj=u:r:t:s0 nametype=NORMAL",
    "SOCKADDR ~saddr=02000050A9FEA9FE0000000000000000", "PROCTITLE ~proctitle=6100622063",
    "OBJ_PID ~opid=6 oauid=1000 ouid=0 oses=4 ocomm=\"p6\"", "CWD ~cwd=2F20",
  ].map { "type=" + $0.replacing("~", with: "msg=audit(1490995752.123:7): ") }

  /// A name that comes twice in an object, which a strict reader refuses.
  private static func nameTwice(_ json: [UInt8]) -> String? {
    var names: [Set<[UInt8]>] = []
    var at = 0
    while at < json.count {
      switch json[at] {
      case UInt8(ascii: "{"), UInt8(ascii: "["): names.append([])
      case UInt8(ascii: "}"), UInt8(ascii: "]"): names.removeLast()
      case UInt8(ascii: "\""):
        let start = at
        at += 1
        while json[at] != UInt8(ascii: "\"") { at += json[at] == UInt8(ascii: "\\") ? 2 : 1 }
        if json[at + 1] == UInt8(ascii: ":") {
          guard names[names.count - 1].insert(Array(json[start..<at])).inserted else {
            return String(decoding: json[start..<at], as: UTF8.self)
          }
        }
      default: break
      }
      at += 1
    }
    return nil
  }
}

/// Events that are made to take long: a way that looks at each pair of their parts would not end.
@Suite("Documents of events without end")
struct EndlessEventTests {
  static let stamp = "msg=audit(1490995752.123:7): "

  static let events: [(String, [String])] = [
    (
      "fields",
      (0..<40).map { record in
        "type=BPF \(stamp)" + (0..<2500).map { "f\(record)_\($0)=1" }.joined(separator: " ")
      }
    ),
    (
      "keys",
      (0..<40).map { record in
        "type=CONFIG_CHANGE \(stamp)key="
          + (0..<2000).map { "\(31 + record % 9)\(30 + $0 % 10)01" }.joined()
      }
    ),
    (
      "parts of arguments in turns",
      [
        "type=EXECVE \(stamp)argc=2 "
          + (0..<6000).map { "a\($0 % 2)[\($0 / 2)]=6161616161" }.joined(separator: " ")
      ]
    ),
    ("types of records", (0..<15000).map { "type=T\($0) \(stamp)a=1" }),
    ("paths", (0..<8000).map { "type=PATH \(stamp)item=\($0) name=\"/x\" mode=0100644" }),
  ]

  @Test(arguments: events)
  func `end, and are no longer than their bound`(_ name: String, _ lines: [String]) {
    var limits = EventAssembler.Limits()
    limits.eventBytes = 16 << 20
    let event = EventDocumentTests.events(lines, limits)[0]
    for form in DocumentForm.allCases {
      var options = ECSFormTests.options()
      options.maximumSize = 1 << 20
      var writer = DocumentWriter(form, options)
      let document = writer.document(event)
      #expect((try? JSONSerialization.jsonObject(with: Data(document))) != nil, "\(form): \(name)")
      if form != .libaudit { #expect(document.count <= 1 << 20, "\(form): \(name)") }
    }
  }

  @Test func `are whole where a label ends with nothing, or a path has no field`() {
    let paths = [
      "name=\"/x\" nametype=NORMAL obj=a:", "", "name=\"/\(String(repeating: "y", count: 600))\"",
    ]
    let lines =
      [ECSFormTests.call, ECSFormTests.folder] + paths.map { ECSFormTests.path($0) }
      + [String](repeating: ECSFormTests.folder, count: 20)
    for form in [DocumentForm.ecs, .auditbeat6, .laurel] {
      var writer = DocumentWriter(form, ECSFormTests.options())
      let first = writer.document(event(lines))
      #expect(writer.document(event(lines)) == first)
      _ = writer.document(event([ECSFormTests.call, ECSFormTests.path("")]))
      #expect(writer.document(event(lines)) == first)
      var options = ECSFormTests.options()
      options.maximumSize = 4096
      var cut = DocumentWriter(form, options)
      for _ in 0..<2 { #expect(cut.document(event(lines)).count <= 4096 || form == .laurel) }
    }
  }
}

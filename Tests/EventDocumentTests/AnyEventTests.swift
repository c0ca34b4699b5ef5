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
}

import AuditRecord
import Linux
import Testing

@testable import AudispatchPlugin

/// Reads records as a plugin does, and makes their events.
private func events(in bytes: [UInt8]) -> [AuditEvent] {
  var stream = RecordStream()
  var assembler = EventAssembler()
  var events: [AuditEvent] = []
  var rest = bytes[...]
  while !rest.isEmpty {
    rest = rest.dropFirst(stream.fill(with: rest))
    while stream.next(
      ended: rest.isEmpty, { assembler.append($0, $1, type: $2, at: .zero) })
    {
      while let event = assembler.next() { events.append(event) }
    }
  }
  assembler.finish()
  while let event = assembler.next() { events.append(event) }
  return events
}

private func sentences(_ bytes: [UInt8]) -> [String] {
  var summary = EventSummary(zone: .utc)
  return events(in: bytes).map { summary.line(for: $0) }
}

private func golden(_ path: String) -> [String] {
  String(decoding: Corpus.file("AudispatchPluginTests/" + path), as: UTF8.self)
    .split(separator: "\n").map(String.init)
}

/// They are what the program says today, read once: each shape of sentence by a person, doubtful ones
/// beside `ausearch -i` of auditd 3.0.9.
@Suite("The sentences of events")
struct SentenceTests {
  @Test func `are right for the recorded minutes`() {
    #expect(sentences(Corpus.bytes) == golden("Golden/corpus.txt"))
  }

  /// The files of `Cases`, each with its sentences.
  static let cases: [(name: String, sentences: [String])] = {
    var cases: [(String, [String])] = []
    for line in golden("Golden/cases.txt") {
      if line.hasPrefix("# ") {
        cases.append((String(line.dropFirst(2)), []))
      } else {
        cases[cases.count - 1].1.append(line)
      }
    }
    return cases
  }()

  @Test(arguments: cases.indices)
  func `are right for what operators reported`(_ index: Int) {
    let (name, expected) = Self.cases[index]
    #expect(sentences(Corpus.file("AudispatchPluginTests/Cases/\(name).log")) == expected)
  }

  /// Events that others have recorded, where they lie beside the sources.
  static let others = Corpus.folder + "/../../shared/conformance/go-libaudit/auparse"

  @Test(
    .enabled(if: (try? Files.status(of: others)) != nil, "no recorded events beside the sources"),
    arguments: ["audit-rhel6.log", "audit-ubuntu14.log", "audit-ubuntu17.log", "test3.log"])
  func `have words for what others recorded`(_ name: String) throws {
    let bytes = try Transfer.contents(of: "\(Self.others)/\(name)", limit: 8 << 20)
    for sentence in sentences(bytes) {
      #expect(!sentence.contains("unknown-") && !sentence.contains(": UNKNOWN"), "\(sentence)")
    }
  }
}

@Suite("The tables behind the sentences")
struct SentenceTableTests {
  @Test func `have every type of libaudit and of the kernel, as a statement or as a part`() {
    for number in UInt32(1100)..<3000 {
      let type = RecordType(rawValue: number)
      guard !type.knownName.hasPrefix("UNKNOWN[") else { continue }
      let isPart = EventParts.types.contains(number)
      #expect((Action.records[type.knownName] != nil) != isPart, "\(type.knownName)")
    }
  }

  @Test func `name only types that there are`() {
    for name in Action.records.keys { #expect(RecordType(name: name) != nil, "\(name)") }
  }

  @Test func `have of the corpus no statement beside a call that only accompanies it`() {
    var beside: Set<String> = []
    for event in assemble(Corpus.lines) where event.record(.syscall) != nil {
      for record in event.records where !EventParts.contains(record, event) {
        beside.insert(record.type.name)
      }
    }
    #expect(beside == ["ANOM_PROMISCUOUS", "CONFIG_CHANGE", "NETFILTER_CFG"])
  }

  /// `id` is a group's where libauparse takes it for one.
  @Test func `know by the type whose number an id is`() {
    for number in UInt32(1100)..<1200 where RecordType(rawValue: number).name.contains("_") {
      let name = RecordType(rawValue: number).name
      guard !name.hasPrefix("UNKNOWN") else { continue }
      let text =
        "type=\(name) msg=audit(1700000000.001:1): pid=1 uid=0 msg='op=x id=0 exe=\"/x\" res=success'"
      let event = assemble([Array(text.utf8)])[0]
      // Both are called root: what tells them apart is what libauparse says of a number without one.
      let other =
        "type=\(name) msg=audit(1700000000.001:1): pid=1 uid=0 msg='op=x id=5 exe=\"/x\" res=success'"
      let five = assemble([Array(other.utf8)])[0]
      let meaning = Interpreter().meaning(of: "id", in: five.records[0], five)
      // User 5 is games and group 5 is tty on Debian, sync and tty on Fedora.
      let isGroup = meaning == "tty"
      #expect(
        AccountFields.isGroup("id", in: event.records[0].type) == isGroup,
        "\(name): \(meaning ?? "")")
    }
  }

  @Test func `know which fields hold accounts and groups as libauparse does`() {
    let names = AccountFields.users.union(AccountFields.groups).subtracting(["id"])
    for name in names.union(["pid", "ses", "inode", "ppid", "items"]).sorted() {
      let text = "type=SYSCALL msg=audit(1700000000.001:1): arch=c000003e syscall=1 x=1 \(name)=5"
      let event = assemble([Array(text.utf8)])[0]
      let meaning = Interpreter().meaning(of: name, in: event.records[0], event)
      let isName = meaning.map { $0 != "5" } ?? false
      #expect(isName == names.contains(name), "\(name): \(meaning ?? "")")
      #expect((meaning == "tty") == AccountFields.groups.contains(name), "\(name)")
    }
  }
}

import AudispatchPlugin
import AuditRecord
import Foundation
import Testing

@testable import EventDocument

/// The tables beside lists, a line for each call and type of record: names and numbers as the headers
/// of the kernel and of libaudit have them, the rest from go-libaudit's table and the categories of
/// ECS. What one of them stands for does not change unnoticed: whoever means it changes its line in
/// `Golden` too.
@Suite("The tables of actions, line by line")
struct GoldenTableTests {
  /// A line of a list.
  struct Line {
    let name: String
    /// Of a call: on x86_64, i386 and aarch64; of a record: one.
    let numbers: [Int?]
    let action: String
    let object: String
    let categories: [String]
    let types: [String]
    let isLibaudits: Bool
    /// The same as a line of a table.
    let normalization: Normalization

    init(_ text: Substring) {
      let columns = text.split(separator: "|", omittingEmptySubsequences: false).map { column in
        column.split(separator: " ").map(String.init)
      }
      precondition(columns.count == 7, "a line has seven columns: \(text)")
      name = columns[0][0]
      numbers = columns[0].dropFirst().map { Int($0) }
      action = columns[1].first ?? ""
      object = String(columns[2].first?.split(separator: ":")[0] ?? "")
      categories = columns[3]
      types = columns[4]
      isLibaudits = columns[6] == ["libaudit"]
      let rest = columns[1...5].map { $0.joined(separator: " ") }
      normalization = Normalization(Substring(([name] + rest).joined(separator: " | ")))
    }
  }

  private static func lines(_ files: String...) throws -> [Line] {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Golden")
    return try files.flatMap { file in
      try String(contentsOf: folder.appendingPathComponent(file + ".txt"), encoding: .utf8)
        .split(separator: "\n").filter { !$0.hasPrefix("#") }.map(Line.init)
    }
  }

  static let calls = Result { try lines("calls-file", "calls-process", "calls-others") }

  /// All that a line says, but for the names that share it.
  private static func content(_ line: Normalization?) -> [String] {
    guard let line else { return ["none"] }
    var content: [String] = []
    for (name, value) in Mirror(reflecting: line).children where name != "names" {
      content.append("\(name ?? ""): \(value)")
    }
    return content
  }

  private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

  @Test func `the list has every call of the machines, and nothing else`() throws {
    let calls = try Self.calls.get()
    #expect(calls.count > 470)
    for (place, machine) in SystemCallNames.machines.enumerated() {
      var listed: [Int: String] = [:]
      for line in calls {
        guard let number = line.numbers[place] else { continue }
        #expect(listed.updateValue(line.name, forKey: number) == nil, "\(line.name)")
      }
      var known: [Int: String] = [:]
      for call in TableTests.calls where call.machine == machine.name {
        known[call.number] = call.name
      }
      #expect(listed == known, "\(machine.name)")
    }
    let tables = NormalizationTable.libauditCalls + NormalizationTable.furtherCalls
    let names = Set(tables.flatMap(\.names)).union(TableTests.calls.map(\.name))
    #expect(names == Set(calls.map(\.name)))
  }

  @Test func `a call has its line in the tables`() throws {
    let catchAll = NormalizationTable.complete.catchAll
    for line in try Self.calls.get() {
      let name = Array(line.name.utf8)
      let expected = Self.content(line.normalization)
      let complete = NormalizationTable.complete.call(name)
      #expect(Self.content(complete ?? catchAll) == expected, "\(line.name)")
      let libaudit = NormalizationTable.libaudit.call(name)
      #expect(Self.content(libaudit) == (line.isLibaudits ? expected : ["none"]), "\(line.name)")
    }
  }

  @Test func `an event of a call is what the list says, on each machine`() throws {
    var complete = Coalescer(isComplete: true)
    var libaudit = Coalescer(isComplete: false)
    for line in try Self.calls.get() {
      for (machine, number) in zip(SystemCallNames.machines, line.numbers) {
        guard let number else { continue }
        let event = event(
          "type=SYSCALL msg=audit(1.000:1): arch=\(String(machine.architecture, radix: 16)) "
            + "syscall=\(number) success=yes exit=0 exe=\"/x\"")
        let isWhole = complete.coalesce(event) && libaudit.coalesce(event)
        #expect(isWhole)
        let action = line.action.isEmpty ? "called-\(line.name)" : line.action
        expect(complete.facts, line, action, "\(machine.name): \(line.name)")
        if line.isLibaudits { expect(libaudit.facts, line, line.action, line.name) }
      }
    }
  }

  private func expect(_ facts: EventFacts, _ line: Line, _ action: String, _ what: String) {
    #expect(Self.text(facts.action) == action, "\(what)")
    #expect(Self.text(facts.objectType) == line.object, "\(what)")
    #expect(facts.categories.map(Self.text) == line.categories, "\(what)")
    #expect(facts.types.map(Self.text) == line.types, "\(what)")
  }

  /// Of which a record is only told to the kernel, or is the call itself.
  private static let notEvents = TableTests.rules.subtracting(["LOGIN"])

  @Test func `a type of record has its lines in the tables, by its number`() throws {
    let lines = try Self.lines("records")
    for line in lines { #expect(line.numbers == [Self.number(line.name)], "\(line.name)") }
    for (name, ours) in Dictionary(grouping: lines, by: \.name) {
      let table = NormalizationTable.complete.records(Array(name.utf8))
      #expect(table.map(Self.content) == ours.map { Self.content($0.normalization) }, "\(name)")
    }
    // Nothing is in the tables, or has a number, that is not listed.
    let tables = NormalizationTable.libauditRecords + NormalizationTable.furtherRecords
    var names = Set(tables.flatMap(\.names))
    for number in UInt32(1000)..<3000 {
      let name = RecordType(rawValue: number).knownName
      if !name.hasPrefix("UNKNOWN["), !Self.notEvents.contains(name) { names.insert(name) }
    }
    #expect(names == Set(lines.map(\.name)))
  }

  private static func number(_ name: String) -> Int? {
    RecordType(name: name).map { Int($0.rawValue) }
  }

  @Test func `a type of record has what go-libaudit says in its own table`() throws {
    let lines = try Self.lines("records", "records-libaudit").filter(\.isLibaudits)
    let tables = Dictionary(grouping: lines, by: \.name)
    #expect(Set(tables.keys) == Set(NormalizationTable.libauditRecords.flatMap(\.names)))
    for (name, theirs) in tables {
      let table = NormalizationTable.libaudit.records(Array(name.utf8))
      #expect(table.map(Self.content) == theirs.map { Self.content($0.normalization) }, "\(name)")
    }
  }

  @Test func `a record is what the list says`() throws {
    var complete = Coalescer(isComplete: true)
    for line in try Self.lines("records") {
      // An event has no EOE without another record; a number that nobody gives, no record.
      guard line.name != "EOE", line.numbers[0] != nil else { continue }
      let fields = line.normalization.required.map { wanted in
        "\(Self.text(wanted.field))=\"\(Self.text(wanted.value ?? [0x78]))\" "
      }
      let isWhole = complete.coalesce(
        event("type=\(line.name) msg=audit(1.000:1): \(fields.joined())pid=1"))
      #expect(isWhole)
      expect(complete.facts, line, line.action, line.name)
      let kind = line.normalization.kind
      #expect(complete.facts.ecsKind == kind, "\(line.name)")
    }
  }

  @Test func `a security module's record says what it decided`() {
    var writer = DocumentWriter(.ecs, ECSFormTests.options())
    func said(_ fields: String) -> [String] {
      let document = writer.parsed(event("type=AVC msg=audit(1.000:1): \(fields)"))
      return ["action", "category", "type"].map { document["event.\($0)"] }
    }
    #expect(
      said("avc:  denied  { read } for  pid=1 scontext=a:b:c tcontext=d:e:f tclass=file")
        == ["violated-selinux-policy", "intrusion_detection", "denied"])
    #expect(
      said(
        "avc:  granted  { load_policy } for  pid=1 scontext=a:b:c tcontext=d:e:f tclass=security")
        == ["allowed-by-selinux-policy", "intrusion_detection", "allowed"])
    for (word, action, category, type) in [
      ("DENIED", "violated-apparmor-policy", "intrusion_detection", "denied"),
      ("ALLOWED", "allowed-by-apparmor-policy", "intrusion_detection", "allowed"),
      ("AUDIT", "recorded-apparmor-policy", "intrusion_detection", "info"),
      ("HINT", "recorded-apparmor-policy", "intrusion_detection", "info"),
      ("KILLED", "killed-by-apparmor-policy", "process,intrusion_detection", "end,denied"),
      ("STATUS", "changed-apparmor-policy", "configuration", "change"),
      ("ERROR", "caused-apparmor-error", "intrusion_detection", "info"),
    ] {
      let fields = "apparmor=\"\(word)\" operation=\"profile_load\" name=\"x\" pid=1 comm=\"y\""
      #expect(said(fields) == [action, category, type], "\(word)")
    }
  }
}

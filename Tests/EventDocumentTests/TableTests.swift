import AudispatchPlugin
import AuditRecord
import CAudit
import Testing

@testable import EventDocument

@Suite("The tables of actions")
struct TableTests {
  /// Every call of the machines that the tables are complete for.
  static let calls: [(machine: String, number: Int, name: String, architecture: UInt32)] =
    SystemCallNames.machines.flatMap { machine in
      (0..<600).compactMap { number in
        SystemCallNames.name(number, architecture: machine.architecture).map {
          (machine.name, number, $0, machine.architecture)
        }
      }
    }

  @Test func `every system call has a line, or a reason why not`() {
    #expect(Self.calls.count > 1100)
    let without = Set(NormalizationTable.catchAllCalls.flatMap { $0.names.split(separator: " ") })
    for call in Self.calls {
      let hasLine = NormalizationTable.complete.call(Array(call.name.utf8)) != nil
      #expect(hasLine != without.contains(Substring(call.name)), "\(call.machine): \(call.name)")
    }
  }

  @Test func `every name of a line is that of a call`() {
    // Calls of other machines and names of the C library, which go-libaudit's lines have.
    let others: Set = ["seteuid", "setegid", "recv", "send", "fstatat", "futimens"]
    let names = Set(Self.calls.map(\.name)).union(others)
    for line in NormalizationTable.libauditCalls + NormalizationTable.furtherCalls {
      for name in line.names { #expect(names.contains(name), "\(name)") }
    }
    for (calls, _) in NormalizationTable.catchAllCalls {
      for name in calls.split(separator: " ") { #expect(names.contains(String(name)), "\(name)") }
    }
  }

  @Test func `every type of record that libaudit names has a line`() {
    for number in 1000..<3000 {
      guard let name = unsafe audit_msg_type_to_name(Int32(number)) else { continue }
      let text = unsafe String(cString: name)
      guard !["LOGIN", "SYSCALL"].contains(text) else { continue }
      #expect(!NormalizationTable.complete.records(Array(text.utf8)).isEmpty, "\(text)")
    }
    for number in UInt32(1000)..<3000 {
      let name = RecordType(rawValue: number).knownName
      guard !name.hasPrefix("UNKNOWN["), !Self.rules.contains(name) else { continue }
      #expect(!NormalizationTable.complete.records(Array(name.utf8)).isEmpty, "\(name)")
    }
  }

  /// What programs tell the kernel by (`linux/audit.h`): no event has these types.
  static let rules: Set = [
    "LOGIN", "SYSCALL", "GET", "SET", "LIST", "ADD", "DEL", "WATCH_INS", "WATCH_REM", "WATCH_LIST",
    "SIGNAL_INFO", "ADD_RULE", "DEL_RULE", "LIST_RULES", "TRIM", "MAKE_EQUIV", "TTY_GET", "TTY_SET",
    "SET_FEATURE", "GET_FEATURE",
  ]

  /// Which types ECS 8.17 expects in which category.
  static let expected: [String: Set<String>] = [
    "authentication": ["start", "end", "info"],
    "configuration": ["access", "change", "creation", "deletion", "info"],
    "driver": ["change", "end", "info", "start"],
    "file": ["access", "change", "creation", "deletion", "info"],
    "host": ["access", "change", "end", "info", "start"],
    "iam": ["admin", "change", "creation", "deletion", "group", "info", "user"],
    "intrusion_detection": ["allowed", "denied", "info"], "library": ["start"],
    "network": ["access", "allowed", "connection", "denied", "end", "info", "protocol", "start"],
    "package": ["access", "change", "deletion", "info", "installation", "start"],
    "process": ["access", "change", "end", "info", "start"],
    "session": ["start", "end", "info"],
  ]

  /// Lines of go-libaudit, as they are.
  static let others: Set<String> = []

  @Test func `lines have categories and types that ECS expects together`() {
    let records = NormalizationTable.libauditRecords + NormalizationTable.furtherRecords
    var lines = NormalizationTable.furtherCalls
    for name in Set(records.flatMap(\.names)) {
      lines += NormalizationTable.complete.records(Array(name.utf8))
    }
    for line in lines where !Self.others.contains(line.names[0]) {
      #expect(
        !line.action.isEmpty && !line.categories.isEmpty && !line.types.isEmpty, "\(line.names)")
      let types = Set(line.types.map { String(decoding: $0, as: UTF8.self) })
      var allowed: Set<String> = []
      for category in line.categories {
        let expected = Self.expected[String(decoding: category, as: UTF8.self)] ?? []
        #expect(!expected.isDisjoint(with: types), "\(line.names)")
        allowed.formUnion(expected)
      }
      #expect(types.isSubset(of: allowed), "\(line.names)")
    }
  }

  @Test func `a line of a call is what its events say`() {
    var coalescer = Coalescer(isComplete: true)
    for call in Self.calls {
      let event = event(
        "type=SYSCALL msg=audit(1.000:1): arch=\(String(call.architecture, radix: 16)) "
          + "syscall=\(call.number) success=yes exit=0 exe=\"/x\"")
      let isWhole = coalescer.coalesce(event)
      #expect(isWhole)
      let line = NormalizationTable.complete.call(Array(call.name.utf8))
      let expected = line?.action ?? Array("called-\(call.name)".utf8)
      #expect(coalescer.facts.action == expected, "\(call.machine): \(call.name)")
      #expect(coalescer.facts.categories == (line?.categories ?? [Array("process".utf8)]))
    }
  }

  @Test func `a line of a record is what its events say`() {
    var coalescer = Coalescer(isComplete: true)
    for line in NormalizationTable.libauditRecords + NormalizationTable.furtherRecords {
      for name in line.names where RecordType(name: name) != nil && name != "EOE" {
        let fields = line.required.map { wanted in
          let value = String(decoding: wanted.value ?? [0x78], as: UTF8.self)
          return String(decoding: wanted.field, as: UTF8.self) + "=\"\(value)\" "
        }.joined()
        _ = coalescer.coalesce(event("type=\(name) msg=audit(1.000:1): \(fields)pid=1"))
        let lines = NormalizationTable.complete.records(Array(name.utf8))
        let wanted = lines.last { $0.required == line.required } ?? lines.last
        #expect(coalescer.facts.action == wanted?.action, "\(name)")
      }
    }
  }
}

import AudispatchPlugin
import AuditRecord
import Linux
import PluginHarness
import TestSupport
import Testing

@testable import audispatch_integrity

@Suite("Recorded logs", .onThreads)
struct AuditLogFilesTests {
  private func record(_ second: Int, _ serial: Int, node: String = "") -> String {
    "\(node)type=USER_END msg=audit(\(second).000:\(serial)): pid=1 uid=0 auid=0 ses=1 msg='x'\n"
  }

  private func serials(
    _ watched: Watched, _ names: [String], node: String? = nil
  ) throws -> [UInt64] {
    var logs = AuditLogFiles(names.map { "\(watched.tree)/\($0)" }, node: node)
    var serials: [UInt64] = []
    try logs.read { serials.append($0.stamp.serial) }
    return serials
  }

  @Test func `are read in the order of their records, gzipped or not`() throws {
    let watched = try Watched("")
    try watched.put(record(30, 3) + record(40, 4), "audit.log")
    try watched.put(record(10, 1) + record(20, 2), "audit.log.1")
    try watched.shell("gzip audit.log.1")
    #expect(try serials(watched, ["audit.log", "audit.log.1.gz"]) == [1, 2, 3, 4])
  }

  @Test func `are refused where it is not said which node's records count`() throws {
    let watched = try Watched("")
    try watched.put(record(30, 3, node: "node=a ") + record(40, 4, node: "node=b "), "log")
    #expect(throws: AuditLogFiles.Failure.self) { try serials(watched, ["log"]) }
    #expect(try serials(watched, ["log"], node: "b") == [4])
    #expect(throws: AuditLogFiles.Failure.self) { try serials(watched, ["log"], node: "c") }
  }

  @Test(arguments: ["empty", "text", "cut.gz", "missing", "."])
  func `that cannot be used are said to be so`(name: String) throws {
    let watched = try Watched("")
    try watched.shell(": > empty; echo text > text")
    try watched.put(record(30, 3), "cut")
    try watched.shell("gzip cut; truncate -s -6 cut.gz")
    #expect(throws: (any Error).self) { try serials(watched, [name]) }
  }
}

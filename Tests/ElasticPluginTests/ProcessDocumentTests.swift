import Foundation
import Glibc
import Linux
import PluginHarness
import TestSupport
import Testing

/// What Kibana's session view needs, in what is stored.
@Suite("audispatch-elastic and processes", .onThreads)
struct ProcessDocumentTests {
  /// A system call of a process of this host, now.
  private static func call(
    _ serial: Int, pid: Int32, parent: Int32, key: String = "(null)", node: String? = nil
  ) -> [String] {
    let begin = node.map { "node=\($0) " } ?? ""
    let stamp = "msg=audit(\(Int(Date().timeIntervalSince1970)).000:\(serial)): "
    return [
      begin + "type=SYSCALL \(stamp)arch=c000003e syscall=257 success=yes exit=3 "
        + "ppid=\(parent) pid=\(pid) uid=0 comm=\"x\" exe=\"/x\" key=\(key)",
      begin + "type=EOE \(stamp)",
    ]
  }

  private static func process(_ document: [String: Any]?) -> [String: Any]? {
    document?["process"] as? [String: Any]
  }

  @Test func `stores who started the process of an event, of this host alone`() throws {
    let server = try StandInIndex.ready()
    let run = try elastic(server)
    try run.send(
      Self.call(1, pid: run.pid, parent: getpid())
        + Self.call(2, pid: run.pid, parent: getpid(), node: "there"))
    #expect(run.eventually { run.confirmed == 4 }, "\(run.messages)")
    let documents = try server.documents()
    func document(_ serial: Int) -> [String: Any]? {
      documents.first { ($0["auditd"] as? [String: Any])?["sequence"] as? Int == serial }
    }
    let own = try #require(Self.process(document(1)))
    #expect((own["entity_id"] as? String)?.contains("-\(run.pid)-") == true)
    let parent = own["parent"] as? [String: Any]
    #expect((parent?["entity_id"] as? String)?.contains("-\(getpid())-") == true)
    let other = try #require(Self.process(document(2)))
    #expect((other["parent"] as? [String: Any])?["entity_id"] == nil)
    #expect(other["entity_id"] as? String != own["entity_id"] as? String)
  }

  @Test func `stores nothing of them where that is not wanted`() throws {
    let server = try StandInIndex.ready()
    let run = try elastic(server, ["processes = no"])
    try run.send(Self.call(1, pid: run.pid, parent: getpid()))
    #expect(run.eventually { run.confirmed == 2 }, "\(run.messages)")
    #expect(Self.process(try server.documents().first)?["entity_id"] == nil)
  }

  @Test(arguments: [[], ["aggregate = 1"]])
  func `leaves out what is filtered, and confirms it`(_ settings: [String]) throws {
    let server = try StandInIndex.ready()
    let run = try elastic(server, ["filter_keys = noise"] + settings)
    for serial in 1...9 {
      let isNoise = serial % 3 != 0
      try run.send(
        Self.call(
          serial, pid: 100, parent: 1, key: isNoise ? "\"noise\"" : "\"other\(serial)\""))
    }
    #expect(run.eventually { run.confirmed == 18 }, "\(run.messages)")
    let serials = try server.documents().compactMap {
      ($0["auditd"] as? [String: Any])?["sequence"] as? Int
    }
    #expect(serials.sorted() == [3, 6, 9])
    // What is filtered behind all that is stored is done at once.
    try run.send(Self.call(10, pid: 100, parent: 1, key: "\"noise\""))
    #expect(run.eventually { run.confirmed == 20 }, "\(run.messages)")
    run.close()
    #expect(run.end() == .exit(0))
    #expect(figure("filtered", in: run.messages) == 7)
  }
}

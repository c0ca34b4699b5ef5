import Foundation
import Glibc
import Linux
import PluginHarness
import TestSupport
import Testing

/// What clients written for Elasticsearch take for it will do for the plugin's tests.
@Suite("The stand-in for Elasticsearch", .onThreads)
struct StandInTests {
  private static let python = "/usr/bin/python3"
  private static let hasClient =
    (try? CommandRun(python, "-c", "import elasticsearch"))?.end == .exit(0)

  /// Its modules are in a folder that has the processor's name.
  private static let hasRsyslog =
    FileManager.default.fileExists(atPath: "/usr/sbin/rsyslogd")
    && (try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib"))?.contains { folder in
      FileManager.default.fileExists(
        atPath: "/usr/lib/\(folder)/rsyslog/omelasticsearch.so")
    } == true

  @Test(.enabled(if: hasClient, "needs python3-elasticsearch"))
  func `answers Elastic's own client as that expects it`() throws {
    let server = try StandInIndex()
    let program = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Programs/elasticsearch-client.py").path
    let run = try CommandRun(Self.python, "-B", program, server.url)
    #expect(run.end == .exit(0), "\(run.error)")
    #expect(try server.count() == 506)
  }

  @Test(.enabled(if: hasRsyslog, "needs rsyslog-elasticsearch"))
  func `stores each message of rsyslog once, and refuses so that it understands`() throws {
    let server = try StandInIndex()
    try server.ask(["stream": "logs"])
    try server.set(["refuse": "number 7 "])
    let folder = try PluginRun.makeFolder()
    defer { PluginRun.remove(folder) }
    try TestFolder.write(Self.configuration(server.port, folder), to: "\(folder)/conf")
    let messages = (1...1000).map { "\($0) is number \($0) here\n" }.joined()
    try TestFolder.write(messages, to: "\(folder)/messages")
    let rsyslog = try PluginRun(
      "/usr/sbin/rsyslogd", ["-n", "-f", "DIR/conf", "-i", "DIR/pid"], folder: folder)
    #expect(rsyslog.eventually { (try? Files.status(of: "\(folder)/socket")) != nil })
    let logger = try CommandRun(
      "/usr/bin/logger", "--socket", "\(folder)/socket", "--tag", "x", "--file",
      "\(folder)/messages")
    #expect(logger.end == .exit(0), "\(logger.error)")
    #expect(rsyslog.eventually { (try? server.count()) == 999 }, "\(rsyslog.messages)")
    #expect(try server.ids() == (1...1000).filter { $0 != 7 }.map { "host:\($0)" }.sorted())
    #expect(rsyslog.await("failed to parse field", in: "errors"))
    #expect(rsyslog.lines("errors").count == 1)
    #expect(rsyslog.contents("errors").contains(#""_id": "host:7", "status": 400"#))
    rsyslog.signal(SIGTERM)
    #expect(rsyslog.end() == .exit(0))
  }

  private static func configuration(_ port: Int, _ folder: String) -> String {
    #"""
    global(workDirectory="\#(folder)")
    module(load="imuxsock" SysSock.Use="off")
    module(load="omelasticsearch")
    input(type="imuxsock" Socket="\#(folder)/socket" RateLimit.Interval="0")
    template(name="document" type="string"
      string="{\"@timestamp\":\"%timereported:::date-rfc3339%\",\"message\":\"%msg:::json%\"}")
    template(name="id" type="string" string="host:%msg:F,32:2%")
    action(type="omelasticsearch" server="127.0.0.1" serverport="\#(port)" template="document"
      searchIndex="logs" searchType="" bulkmode="on" bulkid="id" dynbulkid="on"
      writeoperation="create" errorFile="\#(folder)/errors")

    """#
  }
}

import Glibc
import Linux
import PluginHarness
import TestSupport
import Testing

/// auditd keeps nothing for a plugin and waits for none.
@Suite("audispatch-json under auditd", .onThreads)
struct OverflowTests {
  @Test func `drops what its target does not take, counts it, and goes on`() throws {
    let folder = try TestFolder.make()
    defer { TestFolder.remove(folder) }
    let server = try UnixSocket.listen("\(folder)/socket", mode: 0o600)
    let run = try PluginRun(
      "audispatch-json",
      ["--config", "/dev/null", "--socket", "unix:DIR/socket"],
      environment: [], folder: folder)
    try run.send(JSONPluginTests.records(1...10))
    try #require(Poll.wait(server.number, for: .read, milliseconds: 20_000))
    guard let reader = UnixSocket.accept(server.number) else { throw Errno.current }
    // More than it holds, and nobody reads.
    let count = 1500
    try run.send(JSONPluginTests.records(11...count, fill: 8000))
    #expect(
      run.await("nothing takes documents: records are dropped", in: "err"), "\(run.messages)")
    // The rest of the input was taken, whoever writes it goes on.
    run.signal(SIGUSR1)
    #expect(run.await("dropped=", in: "err"), "\(run.messages)")
    var text = ""
    func hear(within milliseconds: Int32 = 20_000, until isEnough: () -> Bool) {
      while !isEnough(), Poll.wait(reader.number, for: .read, milliseconds: milliseconds) {
        let bytes = reader.hear(1 << 20)
        if bytes.isEmpty { break }
        text += String(decoding: bytes, as: UTF8.self)
      }
    }
    hear(within: 2000) { false }
    try run.send([JSONPluginTests.record(count + 1)])
    hear { text.contains("\"sequence\":\(count + 1),") }
    #expect(run.await("documents are taken again", in: "err"), "\(run.messages)")
    run.close()
    hear { false }
    #expect(run.end() == .exit(74))
    let serials = JSONPluginTests.serials(text.split(separator: "\n").map(String.init))
    let dropped = try #require(figure("dropped", in: run.messages))
    #expect(dropped > 0)
    #expect(serials.count == count + 1 - dropped)
    #expect(serials == serials.sorted() && Set(serials).count == serials.count)
    #expect(serials.last == count + 1)
  }
}

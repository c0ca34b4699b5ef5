import Linux
import PluginHarness
import TestSupport
import Testing

/// Who waits while nobody takes documents, and who does not.
@Suite("audispatch-json, when its reader is slow", .onThreads)
struct OverflowTests {
  private static let fill = 2000

  @Test(arguments: ["<DIR/log PROGRAM", "cat DIR/log | PROGRAM"])
  func `loses nothing of a file or a pipe`(_ command: String) throws {
    let folder = try PluginRun.makeFolder()
    defer { PluginRun.remove(folder) }
    let lines = JSONPluginTests.records(1...8000, fill: Self.fill)
    try TestFolder.write(lines.joined(separator: "\n") + "\n", to: "\(folder)/log")
    let program = "\(PluginRun.products)/audispatch-json --config /dev/null"
    let written = command.replacing("DIR", with: folder).replacing("PROGRAM", with: program)
    // The reader begins when all could have been read, into 18 MB of documents.
    let run = try CommandRun("/bin/sh", "-c", "\(written) | (sleep 2; wc -l)")
    #expect(run.output.filter(\.isNumber) == "8000", "\(run.output) \(run.error)")
    #expect(figure("dropped", in: run.error) == 0, "\(run.error)")
  }

  @Test func `does not hold auditd up, and counts what it drops`() throws {
    let run = try PluginRun(
      "audispatch-json", ["--config", "/dev/null", "--socket", "unix:DIR/nobody"], environment: [])
    let lines = JSONPluginTests.records(1...4000, fill: Self.fill)
    var rest = lines.flatMap { Array(($0 + "\n").utf8) }[...]
    #expect(
      run.eventually {
        rest = rest.dropFirst(run.writeWhatIsTaken(Array(rest.prefix(1 << 16))))
        return rest.isEmpty
      })
    #expect(run.await("nothing takes documents: records are dropped", in: "err"), "\(run.messages)")
    run.close()
    #expect(run.end() == .exit(74), "\(run.messages)")
    let (waiting, dropped) = (
      figure("waiting", in: run.messages) ?? 0, figure("dropped", in: run.messages) ?? 0
    )
    #expect(waiting > 0 && dropped > 0 && waiting + dropped == 4000, "\(run.messages)")
  }
}

import Glibc
import Linux
import PluginHarness
import TestSupport
import Testing

/// Readers that are slow, go away, or must not be disturbed.
@Suite("audispatch-json and its readers", .onThreads)
struct ReaderTests {
  private let program = "\(PluginRun.products)/audispatch-json"

  /// Runs a script of bash, in a folder with a file `in` of so many records.
  private func bash(_ script: String, _ count: Int) throws -> (run: CommandRun, serials: [Int]) {
    let folder = try PluginRun.makeFolder()
    defer { PluginRun.remove(folder) }
    let lines = JSONPluginTests.records(1...count, fill: 2000)
    try TestFolder.write(lines.map { $0 + "\n" }.joined(), to: "\(folder)/in")
    let run = try CommandRun("/bin/bash", "-c", "cd '\(folder)'\n" + script)
    let out = try Transfer.contents(of: "\(folder)/out", limit: 64 << 20)
    let found = String(decoding: out, as: UTF8.self).split(separator: "\n").map(String.init)
    return (run, JSONPluginTests.serials(found))
  }

  @Test func `a slow one of a pipe gets all of a file`() throws {
    // More than 8 MiB, of which the pipe holds little.
    let (run, serials) = try bash(
      "'\(program)' --config /dev/null <in | (sleep 3; cat >out); exit ${PIPESTATUS[0]}", 6000)
    #expect(run.end == .exit(0), "\(run.error)")
    #expect(serials == Array(1...6000))
  }

  @Test func `one of a pipe gets each line once where the configuration is read again`() throws {
    let (run, serials) = try bash(
      """
      mkfifo pipe
      { cat in; sleep 3; } | '\(program)' --config /dev/null >pipe & plugin=$!
      exec 3<pipe
      # A line takes two pages of the pipe, and one is free then: its beginning is written.
      dd bs=1 count=4096 status=none <&3 >out
      sleep 0.5
      kill -HUP $plugin
      sleep 0.5
      cat <&3 >>out
      wait $plugin
      """, 300)
    #expect(run.end == .exit(0), "\(run.error)")
    #expect(serials == Array(1...300))
  }

  @Test func `a program goes on where the configuration is read again`() throws {
    let folder = try PluginRun.makeFolder()
    defer { PluginRun.remove(folder) }
    let script = "#!/bin/sh\ncd \"${0%/*}\"\necho begun >>begun\nexec cat >>got\n"
    try TestFolder.write(script, to: "\(folder)/reader", mode: 0o700)
    let run = try PluginRun("audispatch-json", ["--program", "DIR/reader"], folder: folder)
    for serial in 1...3 {
      try run.send([JSONPluginTests.record(serial)])
      #expect(run.await("\"sequence\":\(serial),", in: "got"))
      run.signal(SIGHUP)
      usleep(100_000)
    }
    run.close()
    #expect(run.end() == .exit(0))
    #expect(JSONPluginTests.serials(run.lines("got")) == [1, 2, 3])
    #expect(run.lines("begun") == ["begun"])
  }

  /// What this system had taken for a host that was gone was confirmed, and nowhere.
  @Test func `one on another host that went away gets what it never had when it is back`() throws {
    let server = try Loopback(stream: true, waiting: 5)
    let run = try PluginRun(
      "audispatch-json", ["--socket", "tcp://127.0.0.1:\(server.port)"], first: 1)
    try run.send(JSONPluginTests.records(1...5))
    do {
      let first = server.accept()
      #expect(
        JSONPluginTests.serials(JSONPluginTests.read(first.number, lines: 5)) == [1, 2, 3, 4, 5])
      #expect(run.eventually { run.confirmed == 5 })
    }
    usleep(300_000)
    try run.send(JSONPluginTests.records(6...10))
    let second = server.accept()
    #expect(JSONPluginTests.serials(JSONPluginTests.read(second.number, lines: 5)) == Array(6...10))
    #expect(run.eventually { run.confirmed == 10 })
    #expect(run.messages.contains("lost 127.0.0.1 port"), "\(run.messages)")
  }
}

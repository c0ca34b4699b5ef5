import Foundation
import Glibc
import Linux
import Testing

/// What plugins write on their standard output and error.
@Suite("A plugin's output", .inTurn)
struct OutputTests {
  @Test func `is passed on line by line, and cut short where there is much`() async throws {
    let scratch = try Scratch()
    let script = scratch("plugin")
    try scratch.write(
      "#!/bin/sh\nfor n in $(seq 50); do echo line $n; done >&2\necho; printf end\ncat >/dev/null\n",
      to: "plugin", mode: 0o755)
    let daemon = try await Audispatchd([PluginFile("p", script)], scratch: scratch)
    try await daemon.finish()
    let lines = daemon.messages.split(separator: "\n").filter { $0.contains(" p: ") }.map {
      $0.split(separator: " p: ", maxSplits: 1).last.map(String.init)
    }
    let shown = lines.compactMap(\.self)
    #expect(Array(shown.prefix(20)) == (1...20).map { "line \($0)" })
    // Where the host is so slow that a next window begins, something of it is shown.
    let leftOut = shown.compactMap { line in
      line.wholeMatch(of: #/\((\d+) more lines were not shown\)/#).flatMap { Int($0.1) }
    }
    #expect(!leftOut.isEmpty)
    #expect(shown.count - leftOut.count + leftOut.reduce(0, +) == 52)
  }

  @Test func `that was left out is said within a second, not with the next line`() async throws {
    let scratch = try Scratch()
    try scratch.write(
      "#!/bin/sh\nfor n in $(seq 50); do echo line $n; done >&2\ncat >/dev/null\n",
      to: "plugin", mode: 0o755)
    let daemon = try await Audispatchd([PluginFile("p", scratch("plugin"))], scratch: scratch)
    try await eventually("the last that is shown") { daemon.messages.contains(" p: line 20\n") }
    let began = Moment.now
    try await eventually("the others' number") {
      daemon.messages.contains(" p: (30 more lines were not shown)\n")
    }
    // Ten seconds it would be with the next line.
    #expect(Moment.now - began < .seconds(5))
    try await daemon.finish()
  }

  @Test func `floods nobody`() async throws {
    let scratch = try Scratch()
    let out = scratch("out")
    let began = Moment.now
    let daemon = try await Audispatchd(
      [
        PluginFile("flood", "/usr/bin/yes", [], "stop_timeout = 0.1"),
        PluginFile("other", try await Programs.plugin(), ["copy", out]),
      ], scratch: scratch)
    let events = TestEvent.stream(0..<1000)
    for begin in stride(from: 0, to: events.count, by: 10) {
      try await daemon.send(Array(events[begin..<(begin + 10)]))
    }
    try await eventually("the other has all") { scratch.lines("out").count == events.count }
    let pid = try daemon.plugin("flood").pid
    let written = contents("/proc/\(pid)/io")
    let took = Moment.now - began
    // 64 KiB in 10 ms at most, and what the pipe holds.
    let limit = (took.inNanoseconds / 10_000_000 + 2) * (64 << 10)
    let text = String(decoding: written, as: UTF8.self)
    let bytes = try #require(text.firstMatch(of: #/wchar: (\d+)/#).flatMap { Int64($0.1) })
    #expect(bytes > 64 << 10)
    #expect(bytes <= limit, "in \(took)")
    try await daemon.finish()
    #expect(difference(scratch.lines("out"), events.records) == nil)
  }
}

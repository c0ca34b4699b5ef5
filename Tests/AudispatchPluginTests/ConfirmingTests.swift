import Glibc
import Linux
import TestSupport
import Testing

@testable import AudispatchPlugin

@Suite("Confirming", .onThreads)
struct ConfirmingTests {
  static let confirming = ["AUDISPATCH_FIRST=101", "AUDISPATCH_PLUGIN=print"]

  @Test(arguments: [["--utc"], ["--raw"]])
  func `says on descriptor 0 what was written`(_ arguments: [String]) throws {
    let run = try PrintRun(arguments, environment: Self.confirming)
    try run.write(Corpus.bytes)
    run.endInput()
    let last = 100 + Corpus.lines.count
    let said = run.said(until: "ok \(last)\n")
    #expect(said.hasSuffix("ok \(last)\n"))
    let numbers = said.split(separator: "\n").map { Int($0.dropFirst(3)) ?? 0 }
    #expect(numbers == numbers.sorted() && numbers.first ?? 0 > 100)
    #expect(run.end() == .exit(0))
  }

  @Test func `leaves out what waits for its end`() throws {
    let run = try PrintRun(["--utc"], environment: Self.confirming)
    let open = Array("type=SYSCALL msg=audit(3.000:3): arch=c000003e syscall=1 uid=0\n".utf8)
    try run.write(PrintPluginTests.first + open + PrintPluginTests.second)
    #expect(run.said(until: "\n") == "ok 101\n")
    run.endInput()
    #expect(run.said(until: "ok 103\n").hasSuffix("ok 103\n"))
    #expect(run.end() == .exit(0))
  }

  @Test func `gives our gap records no number, and lines that are no record one`() throws {
    let gap = "type=DAEMON_ERR msg=audit(1.000:1): op=queue-drop plugin=print dropped=4 events=1"
    let run = try PrintRun(["--raw"], environment: Self.confirming)
    let other = gap.replacing("=print", with: "=printer")
    try run.write(Array("\(gap)\njunk\n\(other)\n".utf8))
    #expect(run.said(until: "ok 102\n").hasSuffix("ok 102\n"))
    run.close()
    #expect(run.end() == .exit(0))
    #expect(run.contents("err").contains(" missed=4\n"))
  }

  @Test func `gives records without any text a number, too`() throws {
    let run = try PrintRun(["--raw"], environment: Self.confirming)
    let line = String(decoding: PrintPluginTests.first, as: UTF8.self)
    try run.write(Array("\n\(line)\r\n\n\(line)\n".utf8))
    #expect(run.said(until: "ok 106\n").hasSuffix("ok 106\n"))
    run.close()
    #expect(run.end() == .exit(0))
  }

  @Test func `knows our gap records from those that look like them`() throws {
    let gap = "type=DAEMON_ERR msg=audit(1.000:1): op=queue-drop plugin=print dropped=4 events=1"
    let run = try PrintRun(["--raw"], environment: Self.confirming + ["AUDISPATCH_GAP=w1"])
    try run.write(Array("\(gap)\n\(gap) gap=w2\n\(gap) gap=w1\njunk\n".utf8))
    #expect(run.said(until: "ok 103\n").hasSuffix("ok 103\n"))
    run.close()
    #expect(run.end() == .exit(0))
    #expect(run.contents("err").contains(" missed=4\n"))
  }

  @Test func `says nothing to a dispatcher that does not ask`() throws {
    let run = try PrintRun(["--utc"])
    try run.write(PrintPluginTests.first)
    #expect(run.await(PrintPluginTests.firstLine, in: "out"))
    run.endInput()
    #expect(run.end() == .exit(0))
    #expect(run.said(until: "ok") == "")
  }

  @Test func `confirms nothing behind what cannot be counted`() throws {
    let run = try PrintRun(["--raw"], environment: Self.confirming)
    let line = Array(PrintPluginTests.first.dropLast())
    // The second record shows the framing.
    try run.write(PrintPluginTests.binary([line, line], fixed: false))
    #expect(run.said(until: "ok 102\n").hasSuffix("ok 102\n"))
    // In one read, and so that it is certain what follows.
    try run.write(
      [UInt8](repeating: 7, count: 64) + PrintPluginTests.binary([line], fixed: false))
    #expect(run.await("none of them is confirmed", in: "err"))
    run.endInput()
    #expect(run.end() == .exit(0))
    #expect(run.said(until: "ok 103\n").hasSuffix("ok 102\n"))
  }
}

@Suite("The window of numbers")
struct NumberWindowTests {
  /// Against the obvious way, in every order that a seed gives.
  @Test(arguments: UInt64(1)...20)
  func `knows the first number that is not done`(_ seed: UInt64) {
    var random = Seeded(seed)
    let first = UInt64.random(in: 1...10_000, using: &random)
    var window = NumberWindow(from: first)
    var open = Array(first..<first + 20_000)
    // Shuffled within a reach, as events interleave; more than one ring's worth for some seeds.
    let reach = Int.random(in: 1...12_000, using: &random)
    var done = Set<UInt64>()
    var next = first
    while !open.isEmpty {
      let number = open.remove(at: Int.random(in: 0..<min(reach, open.count), using: &random))
      window.finish(number, count: 1)
      done.insert(number)
      while done.contains(next) { next += 1 }
      guard window.next == next else {
        Issue.record("\(window.next) instead of \(next)")
        return
      }
    }
    #expect(window.next == first + 20_000)
  }

  @Test func `takes ranges, and what is done already`() {
    var window = NumberWindow(from: 5)
    window.finish(8, count: 10_000)
    #expect(window.next == 5)
    window.finish(5, count: 3)
    #expect(window.next == 10_008)
    window.finish(1, count: 20_000)
    #expect(window.next == 20_001)
    window.finish(20_001, count: 0)
    #expect(window.next == 20_001)
  }
}

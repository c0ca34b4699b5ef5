import Glibc
import TestSupport
import Testing

@testable import Linux

@Suite("A child process")
struct ChildProcessTests {
  /// What a program that runs a shell line writes, with how it ended.
  private func run(
    _ line: String, environment: [String] = ["PATH=/usr/bin:/bin"]
  ) throws -> (output: String, end: ChildEnd) {
    let null = try Descriptor.open("/dev/null", O_RDWR)
    let pipe = try Pipe()
    let output = pipe.reading
    let child: ChildProcess
    do {
      let end = pipe.writing
      child = try ChildProcess(
        path: "/bin/sh", arguments: ["-c", line], environment: environment, input: null.number,
        output: end.number, error: end.number)
    }
    var text: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 4096)
    while case .bytes(let count) = unsafe chunk.withUnsafeMutableBytes({
      unsafe Transfer.read(output.number, into: $0)
    }) { text += chunk[..<count] }
    var end = child.reap()
    while end == nil {
      Pause.nanoseconds(1_000_000)
      end = child.reap()
    }
    return (String(decoding: text, as: UTF8.self), try #require(end))
  }

  /// Without a new thread that makes the copy both would spin for ever.
  @Test func `may start threads that meet at a lock of Swift's runtime, when it is a copy`() throws
  {
    let run = try CommandRun(BuiltProgram.path("copied-process"))
    #expect(run.end == .exit(0), "\(run.error)")
  }

  @Test func `has nothing open but 0, 1 and 2`() throws {
    let held = try Descriptor.open("/dev/null", O_RDONLY)
    #expect(held.number > 2)
    // ls itself opens the folder that it lists.
    let (output, _) = try run("exec ls /proc/self/fd")
    #expect(output.split(separator: "\n").prefix(3) == ["0", "1", "2"])
    #expect(output.split(separator: "\n").count <= 4)
  }

  @Test func `has every signal at its default and none blocked`() throws {
    Signals.ignoreFailedWrites()
    let (output, _) = try run("exec cat /proc/self/status")
    let masks = output.split(separator: "\n").filter {
      $0.hasPrefix("SigIgn") || $0.hasPrefix("SigBlk") || $0.hasPrefix("SigCgt")
    }.compactMap { $0.split(separator: "\t").last }
    #expect(masks == Array(repeating: "0000000000000000", count: 3))
  }

  @Test func `has the environment that it was given, and no other`() throws {
    let (output, _) = try run("exec /usr/bin/env", environment: ["A=1", "B=two words"])
    #expect(output.contains("A=1\n") && output.contains("B=two words\n"))
    #expect(!output.contains("HOME="))
  }

  @Test(arguments: [("exit 7", ChildEnd.exit(7)), ("kill -TERM $$", .signal(SIGTERM))])
  func `tells how it ended`(_ line: String, _ end: ChildEnd) throws {
    #expect(try run(line).end == end)
  }

  @Test(arguments: [
    ("/nowhere/at/all", "cannot start /nowhere/at/all: exec: No such file or directory"),
    ("/etc/passwd", "cannot start /etc/passwd: exec: Permission denied"),
  ])
  func `that cannot be started says at which step and why`(_ path: String, _ text: String) throws {
    let null = try Descriptor.open("/dev/null", O_RDWR)
    do {
      _ = try ChildProcess(
        path: path, arguments: [], environment: [], input: null.number, output: null.number,
        error: null.number)
      Issue.record("it was started")
    } catch { #expect("\(error)" == text) }
  }
}

@Suite("A unix socket")
struct UnixSocketTests {
  @Test func `tells exactly how many bytes nobody has read`() throws {
    let ends = try UnixSocket.pair()
    let ourEnd = ends.ours
    let theirEnd = ends.theirs
    let bytes = [UInt8](repeating: 7, count: 1000)
    for _ in 0..<3 {
      #expect(
        unsafe bytes.withUnsafeBytes { unsafe UnixSocket.send(ourEnd.number, $0) } == .bytes(1000))
    }
    #expect(UnixSocket.unread(theirEnd.number) == 3000)
    var chunk = [UInt8](repeating: 0, count: 1234)
    _ = unsafe chunk.withUnsafeMutableBytes { unsafe Transfer.read(theirEnd.number, into: $0) }
    #expect(UnixSocket.unread(theirEnd.number) == 1766)
  }

  @Test func `refuses a path that is too long instead of cutting it`() {
    let path = "/tmp/" + String(repeating: "x", count: 200)
    #expect(throws: SystemError("connect to", path, Errno(ENAMETOOLONG))) {
      _ = try UnixSocket.connect(path).number
    }
  }
}

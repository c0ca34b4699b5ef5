import Glibc
import Linux
import PluginHarness
import TestSupport
import Testing

@testable import audispatch_integrity

@Suite("Odd paths and files", .onThreads)
struct OddPathTests {
  /// The bytes of a path in a document, as a program that reads it has them.
  private static let reader = #"""
    import json, re, sys
    for line in open(sys.argv[1]):
        path = json.loads(line)["file"]["path"].encode()
        name = re.sub(rb"\\x([0-9a-f]{2})", lambda m: bytes([int(m[1], 16)]), path)
        print(name[len(sys.argv[2]) + 1:].hex())
    """#

  @Test func `of every byte are told so that they can be had back`() throws {
    let watched = try Watched("watch = TREE type\nformat = json")
    _ = try watched.run("init")
    let run = try start(watched)
    var names = (UInt8(1)...255).filter { $0 != 0x2f }.map { [0x61, $0, 0x62] }
    // What looks like an escape, and beginnings of characters without their ends.
    names += [
      Array(#"\x41"#.utf8), Array(#"\\x5c"#.utf8), [0xe2, 0x82], [0xf0, 0x9f, 0x98, 0x61],
    ]
    for name in names {
      let path = Array(watched.tree.utf8) + [0x2f] + name + [0]
      let number = unsafe path.withUnsafeBytes { bytes in
        unsafe open(
          bytes.baseAddress!.assumingMemoryBound(to: CChar.self), O_CREAT | O_WRONLY, 0o644)
      }
      #expect(number >= 0)
      close(number)
    }
    #expect(run.eventually { run.lines("out").count >= names.count }, "\(run.messages)")
    run.close()
    #expect(run.end() == .exit(0), "\(run.messages)")
    try watched.write(Self.reader, to: watched.folder + "/reader.py")
    let read = try CommandRun(
      "/usr/bin/python3", watched.folder + "/reader.py", run.folder + "/out", watched.tree)
    #expect(read.end == .exit(0), "\(read.error)")
    let told = read.output.split(separator: "\n").map(String.init)
    #expect(told.sorted() == names.map { FileState.hex($0) }.sorted())
  }

  @Test func `that must not be opened, have no end, or lead in a circle hold up nobody`() throws {
    let watched = try Watched("watch = TREE content\nmax_file_size = 1M")
    let odd = """
      mkfifo fifo; mknod null c 1 3; mknod disk b 7 99; ln -s circle round; ln -s round circle
      ln -s . here; truncate -s 1T endless
      python3 -c "import socket; socket.socket(socket.AF_UNIX).bind('socket')"
      """
    try watched.shell(odd)
    let made = try watched.run("init")
    #expect(made.end == .exit(3), "\(made.error)")
    #expect(made.error.contains("tree/endless: content: larger than max_file_size"))
    #expect(made.output.contains(" 9 files, "), "\(made.output)")
    try watched.shell("rm *")
    #expect(try watched.check().count == 8)
    _ = try watched.run("init")
    // The same while it looks on.
    let run = try start(watched)
    try watched.shell(odd)
    #expect(
      run.eventually { run.lines("out").count { $0.hasPrefix("added ") } == 8 },
      "\(run.contents("out")) \(run.messages)")
    run.close()
    #expect(run.end() == .exit(0), "\(run.messages)")
  }

  @Test func `that vanish while they are looked at are no trouble`() throws {
    let watched = try Watched("watch = TREE content")
    try watched.shell("for i in $(seq 200); do echo stays > stays$i; done")
    let stop = watched.folder + "/stop"
    try watched.write(
      """
      while ! [ -e '\(stop)' ]; do
        mkdir -p d/e; echo x > d/e/f; echo x > g; mv g h; rm -r d h
      done
      """, to: watched.folder + "/vanish.sh")
    let vanishing = try PluginRun(
      "/bin/sh", ["-c", "cd '\(watched.tree)' && exec sh ../vanish.sh"])
    for round in 0..<6 {
      let made = try watched.run("init")
      #expect(made.end == .exit(0), "round \(round): \(made.error)")
      let check = try watched.run("check")
      #expect(check.end == .exit(0) || check.end == .exit(1), "round \(round): \(check.error)")
      #expect(!check.output.contains("stays"), "\(check.output)")
      #expect(try watched.run("verify").end == .exit(0))
    }
    try watched.write("", to: stop)
    #expect(vanishing.end() == .exit(0))
  }
}

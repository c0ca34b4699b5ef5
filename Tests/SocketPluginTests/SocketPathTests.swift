import Foundation
import Glibc
import Linux
import PluginHarness
import TestSupport
import Testing

/// What stands in the place of its socket, before and after.
@Suite("The socket of audispatch-socket", .onThreads)
struct SocketPathTests {
  @Test func `takes the place of a socket that a crash has left`() throws {
    let first = try SocketPluginTests.run("0600", "DIR/s")
    _ = try SocketPluginTests.client(first)
    first.signal(SIGKILL)
    _ = first.end()
    #expect(try Files.status(of: "\(first.folder)/s").kind == .socket)
    let second = try SocketPluginTests.run("0600", "DIR/s", folder: first.folder)
    let client = try SocketPluginTests.client(second)
    try second.send([SocketPluginTests.record(1)])
    #expect(client.await(":1): x=\n"))
    second.close()
    #expect(second.end() == .exit(0))
  }

  @Test func `waits for a socket that another listens at, and leaves it`() throws {
    let first = try SocketPluginTests.run("0600", "DIR/s")
    let client = try SocketPluginTests.client(first)
    let second = try SocketPluginTests.run("0600", "DIR/s", folder: first.folder)
    #expect(first.await("another program does, or it is not a socket of ours", in: "err"))
    second.close()
    #expect(second.end() == .exit(0))
    try first.send([SocketPluginTests.record(1)])
    #expect(client.await(":1): x=\n"))
    _ = try TestClient("\(first.folder)/s")
  }

  @Test func `leaves what is not a socket`() throws {
    let folder = try PluginRun.makeFolder()
    defer { PluginRun.remove(folder) }
    let file = try Descriptor.open("\(folder)/s", O_WRONLY | O_CREAT)
    try Transfer.writeAll(file.number, Array("mine".utf8))
    let run = try SocketPluginTests.run("0600", "DIR/s", folder: folder)
    #expect(run.end() == .exit(2))
    #expect(run.contents("s") == "mine")
    #expect(run.messages.contains("is a file, which is not removed"))
  }

  @Test func `does not remove at its end what took its place`() throws {
    let run = try SocketPluginTests.run("0600", "DIR/s")
    _ = try SocketPluginTests.client(run)
    unsafe unlink("\(run.folder)/s")
    try run.put("mine", in: "s")
    run.close()
    #expect(run.end() == .exit(0))
    #expect(run.contents("s") == "mine")
  }

  @Test func `makes its socket again when somebody has removed it`() throws {
    let run = try SocketPluginTests.run("0600", "DIR/s")
    let before = try SocketPluginTests.client(run)
    // It takes signals when it handles records.
    try run.send([SocketPluginTests.record(0)])
    #expect(before.await(":0): x=\n"))
    unsafe unlink("\(run.folder)/s")
    run.signal(SIGHUP)
    let client = try SocketPluginTests.client(run)
    try run.send([SocketPluginTests.record(1)])
    #expect(client.await(":1): x=\n"))
    #expect(run.messages.contains("was removed; it is made again"))
  }

  @Test func `goes on without a folder, and has its socket when that is there`() throws {
    let run = try SocketPluginTests.run("0600", "DIR/later/s")
    #expect(run.await("No such file or directory; tried again", in: "err"))
    try run.send([SocketPluginTests.record(1)])
    #expect(
      run.eventually {
        run.signal(SIGUSR1)
        return run.messages.contains(" unheard=1 ")
      })
    unsafe mkdir("\(run.folder)/later", 0o700)
    run.signal(SIGHUP)
    let client = try SocketPluginTests.client(run, "later/s")
    try run.send([SocketPluginTests.record(2)])
    #expect(client.await(":2): x=\n"))
    #expect(client.lines == [SocketPluginTests.record(2)])
  }

  @Test func `gives its socket a group`() throws {
    let run = try SocketPluginTests.run("0660", "DIR/s", "--group", "4")
    _ = try SocketPluginTests.client(run)
    let owner = try CommandRun("/usr/bin/stat", "-c", "%a %u %g", "\(run.folder)/s")
    #expect(owner.output == "660 \(geteuid()) 4\n")
  }

  @Test(arguments: ["0606", "0660", "0777"])
  func `gives its socket exactly its mode, whatever the mask is`(_ mode: String) throws {
    let run = try PluginRun(
      "audispatch-socket", [mode, "DIR/s"],
      prefix: ["/bin/sh", "-c", "umask 077; exec \"$@\"", "sh"])
    _ = try SocketPluginTests.client(run)
    #expect(try Files.status(of: "\(run.folder)/s").mode == UInt32(mode, radix: 8))
  }

  /// Somebody who may write to the folder is faster than any look at it.
  @Test(
    .enabled(
      if: FileManager.default.isExecutableFile(atPath: "/usr/bin/strace") && geteuid() == 0,
      "needs root and strace"),
    arguments: [[], ["--group", "4"]])
  func `changes nothing that a link in its place leads to`(_ group: [String]) throws {
    let folder = try PluginRun.makeFolder()
    defer { PluginRun.remove(folder) }
    let victim = try Descriptor.open("\(folder)/victim", O_WRONLY | O_CREAT, mode: 0o600)
    let before = try Files.status(of: victim.number)
    let calls = "?chmod,?fchmodat,?fchmodat2,?chown,?lchown,?fchownat"
    let run = try PluginRun(
      "audispatch-socket", ["0666", "DIR/s"] + group,
      prefix: [
        "/usr/bin/strace", "-f", "-qq", "-o", "DIR/trace", "-e", "trace=\(calls)", "-e",
        "inject=\(calls):delay_enter=700000",
      ], folder: folder)
    #expect(run.eventually { (try? Files.status(of: "\(folder)/s").kind) == .socket })
    unsafe symlink("victim", "\(folder)/link")
    unsafe rename("\(folder)/link", "\(folder)/s")
    run.close()
    #expect(run.end() == .exit(0))
    #expect(try Files.status(of: victim.number) == before)
  }
}

import Foundation
import Glibc
import Linux
import Testing

/// `--check`, and what a reload asks of our plugins.
@Suite("The plugins' own settings", .inTurn, .enabled(if: Host.isRoot, "needs root"))
struct PluginCheckTests {
  private let print = Programs.product("audispatch-print")

  private func check(_ files: DispatcherFiles, _ further: String...) async throws -> Outcome {
    try await run(
      Programs.product("audispatchd"),
      ["--check", "--config", files.configuration, "--plugin-dir", files.pluginFolder] + further)
  }

  @Test func `are part of a check`() async throws {
    let scratch = try Scratch()
    try scratch.write("raw = perhaps\n", to: "print.conf")
    let files = try DispatcherFiles(
      scratch, [PluginFile("p", print, ["--config", scratch("print.conf")])])
    let outcome = try await check(files)
    #expect(outcome.end == .exited(6))
    #expect(
      outcome.output.contains(
        "p.conf: error: its own check: \(scratch("print.conf")):1:7: error: "), "\(outcome.output)")
    #expect(outcome.output.contains("plugin p: unusable\n"))
    #expect(outcome.output.hasSuffix("1 error, 0 warnings\n"))
  }

  @Test func `are checked under the plugin's confinement`() async throws {
    let scratch = try Scratch()
    try scratch.write("raw = yes\n", to: "print.conf")
    var file = PluginFile("p", print, ["--config", scratch("print.conf")])
    let files = try DispatcherFiles(scratch, [file])
    #expect(try await check(files).end == .exited(0))
    file.text += "no_new_privs = yes\nread_paths = /opt /usr\n"
    try files.write(file)
    let outcome = try await check(files)
    #expect(outcome.end == .exited(6))
    #expect(
      outcome.output.contains(
        "; \(scratch("print.conf")) is below neither read_paths (/opt /usr) nor write_paths (none)"),
      "\(outcome.output)")
  }

  @Test(.enabled(if: Host.has("/usr/bin/setpriv"), "needs setpriv"))
  func `name the capability that a service's unit keeps back`() async throws {
    let scratch = try Scratch()
    let files = try DispatcherFiles(scratch, [PluginFile("p", print, [], "capabilities = CHOWN")])
    let outcome = try await run(
      "/usr/bin/setpriv",
      [
        "--bounding-set", "-all,+setuid,+setgid,+setpcap,+kill", Programs.product("audispatchd"),
        "--check", "--config", files.configuration, "--plugin-dir", files.pluginFolder,
      ])
    #expect(outcome.end == .exited(6))
    #expect(
      outcome.output.contains(
        "Operation not permitted; capabilities needs CAP_CHOWN, which audispatchd itself has not "
          + "got: as a service, add it to its unit's CapabilityBoundingSet"), "\(outcome.output)")
    #expect(try await check(files).end == .exited(0))
  }

  @Test func `come with a warning when the disk has less than spool_reserve keeps`() async throws {
    let scratch = try Scratch()
    let files = try DispatcherFiles(
      scratch, [PluginFile("p", print, [], "overflow_action = spill")])
    try files.configure(["spool_dir = \(scratch("spool"))", "spool_reserve = 1024T"])
    let outcome = try await check(files)
    #expect(outcome.end == .exited(0))
    #expect(
      outcome.output.contains(" MiB are free, and spool_reserve keeps 1073741824 MiB of them"),
      "\(outcome.output)")
  }

  @Test func `with an error keep the plugin that runs as it is, at a reload`() async throws {
    let scratch = try Scratch()
    try scratch.write("raw = yes\n", to: "print.conf")
    let plugin = PluginFile("p", print, ["--config", scratch("print.conf")], "output = pass")
    let daemon = try await Audispatchd([plugin], scratch: scratch)
    // What it is to keep it must have read.
    try await daemon.send([TestEvent(1)])
    try await eventually("it runs") { scratch.lines("daemon.out") == [TestEvent(1).lines[0]] }
    let pid = try daemon.plugin("p").pid
    try scratch.write("raw = perhaps\n", to: "print.conf")
    try daemon.files.write(PluginFile("p", text: plugin.text + "q_depth = 9\n"))
    try daemon.files.write(
      PluginFile("new", print, ["--config", scratch("print.conf")], "output = pass"))
    let outcome = try await run(
      Programs.product("audispatchctl"), ["--runtime-dir", daemon.files.runtimeFolder, "reload"])
    #expect(outcome.end == .exited(6), "\(outcome.error)")
    #expect(outcome.output.contains("p.conf: error: its own check: "))
    #expect(outcome.output.hasSuffix("but for what is refused: 1 active plugin\n"))
    #expect(try daemon.plugin("p").pid == pid)
    try scratch.write("raw = yes\n", to: "print.conf")
    #expect(try daemon.files.request("reload").starts(with: Data("ok".utf8)))
    try await daemon.send([TestEvent(2)])
    try await daemon.finish()
    #expect(scratch.lines("daemon.out") == [1, 2, 2].map { TestEvent($0).lines[0] })
  }

  @Test func `are answered to somebody who has ended his side of the connection`() async throws {
    let scratch = try Scratch()
    let daemon = try await Audispatchd([PluginFile("p", print)], scratch: scratch)
    let socket = try UnixSocket.connect(scratch("run/control.sock"))
    try Transfer.writeAll(socket.number, Array("check\n".utf8))
    shutdown(socket.number, Int32(SHUT_WR))
    #expect(Poll.readable([socket.number], within: .seconds(30)) == [true])
    var chunk = [UInt8](repeating: 0, count: 4096)
    let result = unsafe chunk.withUnsafeMutableBytes {
      unsafe Transfer.read(socket.number, into: $0)
    }
    guard case .bytes(let count) = result else { throw Timeout(description: "\(result)") }
    #expect(String(decoding: chunk[..<count], as: UTF8.self).hasPrefix("ok\nplugin p: active"))
    try await daemon.finish()
  }

  @Test func `never stand in the way of a start`() async throws {
    let scratch = try Scratch()
    try scratch.write("raw = perhaps\n", to: "print.conf")
    let daemon = try await Audispatchd(
      [
        PluginFile("p", print, ["--config", scratch("print.conf")]),
        PluginFile("cat", "/bin/cat", [], "output = pass"),
      ], scratch: scratch)
    try await daemon.send([TestEvent(1)])
    try await eventually("the other has it") {
      scratch.lines("daemon.out") == TestEvent(1).lines
    }
    daemon.finishInput()
    #expect(try await daemon.child.end() == .exited(0))
  }

  @Test func `of nobody are a warning`() async throws {
    let files = try DispatcherFiles(Scratch(), [])
    let outcome = try await check(files)
    #expect(outcome.end == .exited(0))
    #expect(
      outcome.output
        == "\(files.pluginFolder): warning: no plugin is active; set active = yes in a file there\n"
        + "0 errors, 1 warning\n")
  }

  @Test func `of nobody are an error for a replay`() async throws {
    let scratch = try Scratch()
    try scratch.write(TestEvent(1).lines[0] + "\n", to: "log")
    let files = try DispatcherFiles(scratch, [])
    let outcome = try await run(
      Programs.product("audispatchd"),
      [
        "--source", "file:" + scratch("log"), "--config", files.configuration, "--plugin-dir",
        files.pluginFolder, "--runtime-dir", files.runtimeFolder,
      ])
    #expect(outcome.end == .exited(6))
    #expect(outcome.error.contains("no plugin is active: nobody would get the records"))
  }
}

import Linux
import PluginHarness
import TestSupport
import Testing

/// What a plugin that was only just set up is told.
@Suite("audispatch-integrity, at first", .onThreads)
struct BeginningTests {
  private func check(_ arguments: [String]) throws -> String {
    let run = try PluginRun(
      "audispatch-integrity", ["--check", "--config", "/dev/null"] + arguments)
    run.close()
    #expect(run.end() == .exit(2))
    return run.contents("out").replacing(run.folder, with: "DIR")
  }

  @Test func `says where to write what is watched`() throws {
    #expect(
      try check([])
        == "/dev/null: error: watch: nothing is watched; write 'watch = /etc'\n1 error, 0 warnings\n"
    )
  }

  @Test func `asks for a baseline`() throws {
    #expect(
      try check(["--watch", "/etc", "--database", "DIR/none.db"])
        == "/dev/null: error: database: there is no baseline yet, DIR/none.db is not there; run "
        + "audispatch-integrity init\n1 error, 0 warnings\n")
  }

  @Test func `says the same when it is started`() throws {
    let run = try PluginRun(
      "audispatch-integrity",
      ["--config", "/dev/null", "--watch", "/etc", "--database", "DIR/none.db"])
    run.close()
    #expect(run.end() == .exit(2))
    #expect(run.contents("err").contains("run audispatch-integrity init"))
  }
}

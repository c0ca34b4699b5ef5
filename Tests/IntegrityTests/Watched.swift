import Glibc
import Linux
import PluginHarness
import Testing

/// A folder to watch, with a configuration and a baseline of its own; gone with its last use.
final class Watched {
  let folder: String
  var tree: String { folder + "/tree" }

  /// - Parameter rules: with `TREE` for the folder.
  init(_ rules: String) throws {
    folder = try PluginRun.makeFolder()
    unsafe _ = mkdir(tree, 0o755)
    unsafe _ = mkdir(folder + "/db", 0o700)
    let text = "database = \(folder)/db/baseline.db\n" + rules.replacing("TREE", with: tree) + "\n"
    try write(text, to: folder + "/integrity.conf")
  }

  deinit { PluginRun.remove(folder) }

  func write(_ text: String, to path: String) throws {
    let file = try Descriptor.open(path, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o644)
    try Transfer.writeAll(file.number, Array(text.utf8))
  }

  func write(_ text: String, appendingTo path: String) throws {
    let file = try Descriptor.open(path, O_WRONLY | O_APPEND)
    try Transfer.writeAll(file.number, Array(text.utf8))
  }

  /// Writes a file in the tree.
  func put(_ text: String, _ name: String) throws { try write(text, to: "\(tree)/\(name)") }

  /// Runs a shell command in the tree.
  func shell(_ command: String) throws {
    let run = try CommandRun("/bin/sh", "-ec", "cd '\(tree)'; " + command)
    if run.end != .exit(0) { throw ShellFailure(text: run.error) }
  }

  struct ShellFailure: Error { let text: String }

  /// Runs `audispatch-integrity`.
  func run(_ arguments: String...) throws -> CommandRun {
    try CommandRun(
      ["\(PluginRun.products)/audispatch-integrity", "--config", "\(folder)/integrity.conf"]
        + arguments)
  }

  /// What `check` reports, without the last line, in which a time is, and the head, and with
  /// `TREE`.
  func check(_ arguments: String...) throws -> [String] {
    let run = try CommandRun(
      [
        "\(PluginRun.products)/audispatch-integrity", "--config", "\(folder)/integrity.conf",
        "check",
      ] + arguments)
    return run.output.replacing(tree, with: "TREE").split(separator: "\n").dropLast()
      .filter { !$0.hasPrefix("head ") }.map(String.init)
  }
}

/// The plugin, once it has scanned everything.
func start(_ watched: Watched, folder: String? = nil) throws -> PluginRun {
  let run = try PluginRun(
    "audispatch-integrity", ["--config", "\(watched.folder)/integrity.conf"], folder: folder)
  #expect(run.await("a scan of everything has ended", in: "err"), "\(run.messages)")
  return run
}

/// It ends with its input, and well.
func end(_ run: PluginRun) {
  run.close()
  #expect(run.end() == .exit(0), "\(run.messages)")
}

/// The lines that begin an event, with `TREE`.
func told(_ watched: Watched, _ run: PluginRun) -> [String] {
  run.lines("out").filter { !$0.hasPrefix(" ") }.map { $0.replacing(watched.tree, with: "TREE") }
}

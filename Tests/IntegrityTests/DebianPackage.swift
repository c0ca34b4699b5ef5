import Glibc
import Linux
import PluginHarness

/// A package that is built here and installed by the host's dpkg below a folder of its own, so that
/// the host's database stays as it is.
struct DebianPackage {
  private let tree: String

  /// Why nothing can be installed; `nil` where it can.
  static var obstacle: String? {
    if (try? Files.status(of: "/usr/bin/dpkg-deb")) == nil { return "dpkg is not installed" }
    return getuid() == 0 ? nil : "dpkg sets owners: only root may"
  }

  /// Makes a database without any package, below the tree of a test.
  init(in watched: Watched) throws {
    tree = watched.tree
    try run("database")
  }

  func build(version: String) throws { try run("build", version) }

  func dpkg(_ arguments: String...) throws { try run("dpkg", arguments) }

  private func run(_ command: String, _ arguments: String...) throws {
    try run(command, arguments)
  }

  private func run(_ command: String, _ arguments: [String]) throws {
    let tests = Files.folder(of: Files.folder(of: "\(#filePath)"))
    let run = try CommandRun(
      ["/bin/sh", "\(tests)/SystemTests/Programs/package.sh", command, tree] + arguments)
    if run.end != .exit(0) { throw Watched.ShellFailure(text: run.error) }
  }
}

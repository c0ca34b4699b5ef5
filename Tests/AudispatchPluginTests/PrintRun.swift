import Glibc
import Linux
import TestSupport

typealias PrintRun = PluginRun

extension PluginRun {
  /// The built `audispatch-print` at work: its input is a socket, as under auditd.
  ///
  /// - Parameters:
  ///   - inherited: signals that the program finds ignored, as under auditd.
  ///   - environment: beside a PATH.
  ///   - files: what is there in the run's folder, by name.
  convenience init(
    _ arguments: [String], inherited: String = "", environment: [String] = [],
    program: String = BuiltProgram.path("audispatch-print"), files: [String: String] = [:]
  ) throws {
    let folder = try TestFolder.make()
    for (name, text) in files {
      let file = try Descriptor.open("\(folder)/\(name)", O_WRONLY | O_CREAT, mode: 0o600)
      try Transfer.writeAll(file.number, Array(text.utf8))
    }
    try self.init(
      program, arguments, ignoring: inherited, environment: environment, folder: folder,
      isOwner: true)
  }
}

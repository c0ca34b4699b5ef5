import Glibc
import Linux

/// Programs of ours, and facts about the audit programs on this host.
enum Installed {
  /// Looked for once: what they lie on may hang later.
  static let kernelReader = program("audispatch-kernel")
  static let receiver = program("audispatch-receive")

  /// Beside this executable, or else in the installed folder.
  private static func program(_ name: String) -> String {
    let beside = executableFolder + "/" + name
    return unsafe access(beside, X_OK) == 0 ? beside : pluginFolder + "/" + name
  }

  static let pluginFolder = "/usr/libexec/audispatch"

  static var executableFolder: String {
    executable.lastIndex(of: "/").map { String(executable[..<$0]) } ?? "."
  }

  /// This process's own.
  static let executable: String = {
    var path = [UInt8](repeating: 0, count: 4096)
    let count = unsafe path.withUnsafeMutableBytes {
      unsafe readlink("/proc/self/exe", $0.baseAddress!, $0.count)
    }
    guard count > 0 else {
      // There is no /proc.
      let given = ProgramArguments.executable
      return (try? Files.resolved(given)) ?? given
    }
    let found = String(decoding: path.prefix(count), as: UTF8.self)
    // So the kernel calls a file that was replaced since.
    let mark = " (deleted)"
    guard found.hasSuffix(mark), unsafe access(found, F_OK) != 0 else { return found }
    return String(found.dropLast(mark.count))
  }()
}

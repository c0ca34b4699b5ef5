import Glibc

/// The programs of this package as they were built beside the tests.
public enum BuiltProgram {
  public static let folder: String = {
    var path = [CChar](repeating: 0, count: 4096)
    let length = unsafe readlink("/proc/self/exe", &path, path.count - 1)
    let bytes = path.prefix(max(0, length)).map { UInt8(bitPattern: $0) }
    var folder = String(decoding: bytes, as: UTF8.self).split(separator: "/").dropLast()
    // `swift test` may run the tests from within a helper of the toolchain.
    if !folder.contains(".build") {
      let tests = CommandLine.arguments.first { $0.contains("/.build/") } ?? ""
      folder = tests.split(separator: "/").dropLast()
    }
    return "/" + folder.joined(separator: "/")
  }()

  public static func path(_ name: String) -> String { "\(folder)/\(name)" }
}

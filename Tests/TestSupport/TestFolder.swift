import Glibc
import Linux

/// A folder of a test's own.
public enum TestFolder {
  /// Makes an empty one that only its owner may write to.
  public static func make() throws -> String {
    var template = Array("/tmp/audispatch-test-XXXXXX\0".utf8).map { CChar(bitPattern: $0) }
    let made = unsafe template.withUnsafeMutableBufferPointer { buffer in
      unsafe mkdtemp(buffer.baseAddress!) != nil
    }
    guard made else { throw SystemError("create", "a folder", .current) }
    return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// Writes a file in it, or another text into one that is there.
  public static func write(_ text: String, to path: String, mode: UInt32 = 0o600) throws {
    let file = try Descriptor.open(path, O_WRONLY | O_CREAT | O_TRUNC, mode: mode)
    try Transfer.writeAll(file.number, Array(text.utf8))
  }

  /// Removes it and all in it, but nothing on another file system.
  public static func remove(_ folder: String) {
    let names = (try? Files.names(in: folder)) ?? []
    for name in names {
      let path = "\(folder)/\(name)"
      if (try? Files.status(of: path, followingLinks: false))?.kind == .directory {
        remove(path)
      } else {
        unsafe unlink(path)
      }
    }
    unsafe rmdir(folder)
  }
}

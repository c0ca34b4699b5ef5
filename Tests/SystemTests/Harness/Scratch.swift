import Foundation

/// A folder of one test, owned by root and closed to others; gone when its owner is.
final class Scratch: Sendable {
  let path: String

  init() throws {
    path = "/tmp/audispatch-test-\(UUID().uuidString.prefix(8))"
    try FileManager.default.createDirectory(
      atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o755])
  }

  deinit {
    if ProcessInfo.processInfo.environment["AUDISPATCH_KEEP"] == nil {
      try? FileManager.default.removeItem(atPath: path)
    }
  }

  func callAsFunction(_ name: String) -> String { path + "/" + name }

  @discardableResult
  func folder(_ name: String) throws -> String {
    try FileManager.default.createDirectory(
      atPath: self(name), withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
    return self(name)
  }

  @discardableResult
  func write(_ text: String, to name: String, mode: Int = 0o640) throws -> String {
    try write(Data(text.utf8), to: name, mode: mode)
  }

  @discardableResult
  func write(_ data: Data, to name: String, mode: Int = 0o640) throws -> String {
    try data.write(to: URL(fileURLWithPath: self(name)))
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: self(name))
    return self(name)
  }

  func bytes(_ name: String) -> Data { contents(self(name)) }

  /// Empty when there is no such file (yet).
  func text(_ name: String) -> String { String(decoding: bytes(name), as: UTF8.self) }

  func lines(_ name: String) -> [String] { split(text(name)) }

  func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: self(name)) }

  func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: self(name)) }
}

/// A whole file, also one of /proc; empty when it cannot be read.
func contents(_ path: String) -> Data {
  FileManager.default.contents(atPath: path) ?? Data()
}

/// The lines of a text, without their newlines; a last line without one is a line.
func split(_ text: String) -> [String] {
  var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
  if lines.last == "" { lines.removeLast() }
  return lines
}

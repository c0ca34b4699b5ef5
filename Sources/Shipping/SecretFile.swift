public import AudispatchPlugin
public import Configuration
import Glibc
import Linux

/// A file whose first line is a password, a key or a token, and that only its owner may read.
public enum SecretFile {
  /// The first line.
  ///
  /// - Parameters:
  ///   - keyword: the setting that names the file.
  ///   - places: where that stands.
  public static func line(
    of path: String, _ keyword: String, _ places: SettingPlaces
  ) throws(Diagnostic) -> [UInt8] {
    let line = try contents(of: path, keyword, places).prefix { $0 != 0x0a && $0 != 0x0d }
    guard !line.isEmpty, line.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else {
      throw places.problem(keyword, "the first line of \(path) is empty, or no text")
    }
    return Array(line)
  }

  /// All of it, at most 8 KiB.
  public static func contents(
    of path: String, _ keyword: String, _ places: SettingPlaces
  ) throws(Diagnostic) -> [UInt8] {
    let status: FileStatus
    let bytes: [UInt8]?
    do throws(Errno) {
      (status, bytes) = try Files.contents(of: path, limit: 8192)
    } catch { throw places.problem(keyword, "cannot read \(path): \(error)") }
    guard let bytes else {
      throw places.problem(keyword, "\(path) is a \(status.kind.rawValue), not a file")
    }
    guard status.mode & 0o077 == 0, status.owner == 0 || status.owner == geteuid() else {
      throw places.problem(
        keyword, "others may have read \(path)",
        suggestion: "chown root \(path); chmod 0400 \(path)")
    }
    return bytes
  }
}

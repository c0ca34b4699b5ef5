import Glibc
import Linux

/// Programs of ours, and facts about the audit programs on this host.
enum Installed {
  /// Beside this executable, or else in the installed folder.
  static func program(_ name: String) -> String {
    let beside = executableFolder + "/" + name
    return unsafe access(beside, X_OK) == 0 ? beside : "/usr/libexec/audispatch/" + name
  }

  static var executableFolder: String {
    executable.lastIndex(of: "/").map { String(executable[..<$0]) } ?? "."
  }

  /// This process's own.
  static let executable: String = {
    var path = [UInt8](repeating: 0, count: 4096)
    let count = unsafe path.withUnsafeMutableBytes {
      unsafe readlink("/proc/self/exe", $0.baseAddress!, $0.count)
    }
    return String(decoding: path.prefix(max(0, count)), as: UTF8.self)
  }()
}

/// A capability of capabilities(7).
enum Capability: Int32 {
  case netAdmin = 12
  case auditControl = 30
  case auditRead = 37

  var isEffective: Bool { CapabilitySet.has(rawValue) }
}

/// How the auditd of this host frames binary records.
enum InstalledAudit {
  /// 16 + size from version 4.1.1 on. Asks `auditctl -v` once; without it, as the newest do.
  static let writesCompactRecords: Bool = {
    guard let version = version else { return true }
    return !version.lexicographicallyPrecedes([4, 1, 1])
  }()

  private static var version: [Int]? {
    do {
      let null = try Descriptor.open("/dev/null", O_RDWR)
      let (reading, writing) = try Pipe.open()
      let output = Descriptor(owning: reading)
      let end = Descriptor(owning: writing)
      let child = try ChildProcess(
        path: "/sbin/auditctl", arguments: ["-v"], environment: ["LC_ALL=C"], input: null.number,
        output: end.number, error: null.number)
      _ = end.release().closed
      var bytes = [UInt8](repeating: 0, count: 256)
      var text = ""
      while case .bytes(let count) = unsafe bytes.withUnsafeMutableBytes({
        unsafe Transfer.read(output.number, into: $0)
      }) { text += String(decoding: bytes[..<count], as: UTF8.self) }
      while child.reap() == nil { Pause.nanoseconds(200_000) }
      // "auditctl version 3.0.9"
      let word = text.split(whereSeparator: \.isWhitespace).last ?? ""
      let numbers = word.split(separator: ".").compactMap { Int($0) }
      return numbers.count >= 2 ? numbers : nil
    } catch {
      return nil
    }
  }
}

extension Int32 {
  fileprivate var closed: Bool { close(self) == 0 }
}

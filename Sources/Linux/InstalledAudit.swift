import Glibc

/// How the auditd of this host frames binary records.
public enum InstalledAudit {
  /// 16 + size from version 4.1.1 on. Asks `auditctl -v` once; without it, as the newest do.
  public static let writesCompactRecords: Bool = {
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

import Glibc
import Linux

/// What a file holds, by its first bytes.
enum FileContent {
  /// The first bytes, which stay to be read.
  static func head(of fd: Int32) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 32)
    let count =
      DescriptorKind.isRegularFile(fd)
      ? unsafe pread(fd, &bytes, bytes.count, lseek(fd, 0, SEEK_CUR))
      : unsafe recv(fd, &bytes, bytes.count, Int32(MSG_PEEK | MSG_WAITALL))
    return Array(bytes.prefix(max(0, count)))
  }

  static func isGzip(_ head: [UInt8]) -> Bool { head.starts(with: [0x1f, 0x8b]) }

  /// The program that unpacks what we do not.
  static func unpacker(_ head: [UInt8]) -> String? {
    if head.starts(with: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]) { return "xz -dc" }
    if head.starts(with: [0x28, 0xb5, 0x2f, 0xfd]) { return "zstd -dc" }
    if head.starts(with: "BZh".utf8) { return "bzip2 -dc" }
    if head.starts(with: [0x04, 0x22, 0x4d, 0x18]) { return "lz4 -dc" }
    if head.starts(with: "PK".utf8) { return "unzip -p" }
    return nil
  }

  /// An `nlmsghdr` with a length that an audit message can have, then `audit(`.
  static func isNetlink(_ head: [UInt8]) -> Bool {
    guard head.count >= 22 else { return false }
    let length =
      UInt32(head[0]) | UInt32(head[1]) << 8 | UInt32(head[2]) << 16 | UInt32(head[3]) << 24
    return length >= 22 && length < 16 << 10 && head[16..<22].elementsEqual("audit(".utf8)
      && !head[4..<8].elementsEqual([16, 0, 0, 0])
  }
}

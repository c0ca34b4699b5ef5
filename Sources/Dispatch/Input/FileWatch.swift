import Glibc
import Linux

/// Whether a file that is read to its end is still the one that was read before.
///
/// A log that is truncated, or truncated and written anew, goes on in the middle of something else:
/// what was behind the place where we were is lost.
struct FileWatch: ~Copyable {
  private let file: Descriptor
  private var largest: Int64
  /// The last bytes that were read, and where they end.
  private var tail: [UInt8] = []
  private var position: Int64 = 0

  private static let tailBytes: Int64 = 512

  /// `nil`: it is no regular file.
  init?(_ fd: Int32) {
    guard DescriptorKind.isRegularFile(fd) else { return nil }
    let copy = fcntl(fd, F_DUPFD_CLOEXEC, 3)
    guard copy >= 0 else { return nil }
    file = Descriptor(owning: copy)
    largest = Self.size(copy)
  }

  /// Remembers what was read last. The file's offset is the reader's.
  mutating func note() {
    position = Int64(lseek(file.number, 0, SEEK_CUR))
    tail = bytesBefore(position)
  }

  /// Whether nothing of what was there is gone.
  mutating func isIntact() -> Bool {
    let size = Self.size(file.number)
    guard size >= largest else { return false }
    largest = size
    return bytesBefore(position) == tail
  }

  private func bytesBefore(_ end: Int64) -> [UInt8] {
    let start = max(0, end - Self.tailBytes)
    var bytes = [UInt8](repeating: 0, count: Int(end - start))
    let count = unsafe bytes.withUnsafeMutableBytes {
      unsafe pread(file.number, $0.baseAddress, $0.count, off_t(start))
    }
    return Array(bytes.prefix(max(0, count)))
  }

  private static func size(_ fd: Int32) -> Int64 {
    var facts = stat()
    return unsafe fstat(fd, &facts) == 0 ? Int64(facts.st_size) : 0
  }
}

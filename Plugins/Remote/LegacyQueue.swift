import Glibc
import Linux

/// The queue file of audisp-remote, whose records are to be sent before all others:
///
///     offset  0  magic       NUL and `audisp-remote`, then two zeros
///            16  entries     32 bits, as all numbers: big endian
///            20  entry size  12,288
///            24  head        the first entry that is used
///            28  length      how many are, one behind the other and round
///
/// Entry i begins at (i + 1) × 12,288: text with its newline, up to a NUL. As they are stored by a
/// server, head and length move on in the file; so nothing is sent twice by a second start, and
/// audisp-remote could go on with the rest.
struct LegacyQueue: ~Copyable {
  static let usualPath = "/var/spool/audit/remote.log"
  static let entrySize = 12_288
  private static let magic: [UInt8] = [0] + Array("audisp-remote".utf8) + [0, 0]

  private let file: Descriptor
  private let path: String
  private let entries: Int
  private var head: Int
  /// Entries that are not stored by a server.
  private(set) var left: Int
  /// Those of them that were read.
  private var read = 0
  /// Entries that held no record.
  private(set) var damaged = 0
  /// For each that was read, whether it is a record that is sent.
  private var fates: [Bool] = []

  struct Refusal: Error, Equatable, CustomStringConvertible {
    let description: String
  }

  /// Opens it, unless it is in use; `nil` when there is none, or nothing in it.
  init?(_ path: String) throws(Refusal) {
    let file: Descriptor
    do throws(SystemError) {
      file = try Descriptor.open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK)
    } catch {
      if error.cause == .noSuchFile { return nil }
      throw Refusal(description: error.description)
    }
    var lock = flock()
    lock.l_type = Int16(F_WRLCK)
    guard unsafe fcntl(file.number, F_SETLK, &lock) == 0 else {
      throw Refusal(description: "\(path) is in use: audisp-remote still runs")
    }
    let header = Self.bytes(of: file, at: 0, 32)
    func number(_ offset: Int) -> Int {
      header[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) }
    }
    guard header.count == 32, header.starts(with: Self.magic), number(20) == Self.entrySize,
      number(16) > 0, number(24) < number(16), number(28) <= number(16)
    else { throw Refusal(description: "\(path) is no queue of audisp-remote, or damaged") }
    guard number(28) > 0 else { return nil }
    self.file = file
    self.path = path
    entries = number(16)
    head = number(24)
    left = number(28)
  }

  /// Whether there are entries that were not read.
  var hasMore: Bool { read < left }

  /// The next record, without its newline; `nil` when all were read. What is none is left out.
  mutating func next() -> [UInt8]? {
    while read < left {
      let entry = (head + read) % entries
      read += 1
      let slot = Self.bytes(of: file, at: (entry + 1) * Self.entrySize, Self.entrySize)
      let text = slot.prefix { $0 != 0 }
      let isWhole = text.count < slot.count && text.contains { $0 != 0x0a }
      fates.append(isWhole)
      guard isWhole else {
        damaged += 1
        continue
      }
      return Array(text.last == 0x0a ? text.dropLast() : text)
    }
    // Damaged ones at the end go with nobody.
    if !fates.contains(true) { pass() }
    return nil
  }

  /// The first record that was read and not stored is; the file is told.
  mutating func finish() {
    pass()
    precondition(fates.first == true, "more is stored than was read")
    advance()
    pass()
  }

  /// Passes over damaged ones.
  private mutating func pass() { while fates.first == false { advance() } }

  private mutating func advance() {
    fates.removeFirst()
    head = (head + 1) % entries
    left -= 1
    read -= 1
    var bytes: [UInt8] = []
    for number in [head, left] {
      bytes += (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * $0)) }
    }
    _ = unsafe bytes.withUnsafeBytes { unsafe pwrite(file.number, $0.baseAddress, $0.count, 24) }
  }

  private static func bytes(
    of file: borrowing Descriptor, at offset: Int, _ count: Int
  ) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    let got = unsafe bytes.withUnsafeMutableBytes {
      unsafe pread(file.number, $0.baseAddress, $0.count, off_t(offset))
    }
    return Array(bytes.prefix(max(0, got)))
  }
}

import Glibc
import Linux

/// A file in the log's folder that says something of the log's records, in blocks of one size, of which
/// those are empty that begin with two zeros.
///
/// What it says of a record is written in front of that, and synced in front of it: it is there wherever
/// the record is. It may say something of records that never came into the log.
public struct SideFile: Sendable {
  let name: String
  let blockBytes: Int
  let blocks: Int
  /// What it says is wanted when the log is opened.
  let isRead: Bool

  public init(name: String, blockBytes: Int, blocks: Int, isRead: Bool) {
    self.name = name
    self.blockBytes = blockBytes
    self.blocks = blocks
    self.isRead = isRead
  }
}

/// A block of it that is not empty.
public struct SideBlock: Sendable {
  public var index: Int
  public var bytes: [UInt8]
}

/// What is to stand at places of it.
struct SideChanges: Sendable {
  private(set) var places: [(place: Int, count: Int)] = []
  private(set) var bytes: [UInt8] = []

  var isEmpty: Bool { places.isEmpty }

  mutating func add(_ place: Int, _ new: UnsafeRawBufferPointer) {
    unsafe bytes.append(contentsOf: new)
    // Most follow each other.
    if let last = places.last, last.place + last.count == place {
      places[places.count - 1].count += new.count
    } else {
      places.append((place, new.count))
    }
  }

  mutating func add(_ other: SideChanges) {
    if isEmpty {
      self = other
    } else {
      places += other.places
      bytes += other.bytes
    }
  }
}

/// The file itself. What fails does not fail the log: it is said, and all of it is to be written again.
struct SideDisk: ~Copyable {
  private let form: SideFile
  private let path: String
  private var file: Descriptor?
  private var waiting = SideChanges()
  private var isDirty = false
  private var trouble: SystemError?

  init(_ form: SideFile, in folder: String) {
    self.form = form
    path = "\(folder)/\(form.name)"
  }

  private mutating func open() throws(SystemError) -> Int32 {
    if let number = file?.number { return number }
    let new = try Descriptor.open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, mode: 0o600)
    guard DescriptorKind.isRegularFile(new.number) else {
      throw SystemError("write", path, Errno(EINVAL))
    }
    let number = new.number
    file = consume new
    return number
  }

  /// The blocks that are not empty, if they are wanted.
  mutating func read() throws(SystemError) -> [SideBlock] {
    guard form.isRead else { return [] }
    let number = try open()
    var blocks: [SideBlock] = []
    for index in 0..<form.blocks {
      let place = index * form.blockBytes
      let head = try Self.bytes(number, at: place, count: 2, path)
      if head.isEmpty { break }
      guard head != [0, 0] else { continue }
      var bytes = try Self.bytes(number, at: place, count: form.blockBytes, path)
      bytes += [UInt8](repeating: 0, count: form.blockBytes - bytes.count)
      blocks.append(SideBlock(index: index, bytes: bytes))
    }
    return blocks
  }

  /// Fewer at the file's end only.
  private static func bytes(
    _ file: Int32, at place: Int, count: Int, _ path: String
  ) throws(SystemError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    let n = unsafe bytes.withUnsafeMutableBytes { buffer in
      retryingInterrupts { unsafe pread(file, buffer.baseAddress!, count, off_t(place)) }
    }
    guard n >= 0 else { throw SystemError("read", path, .current) }
    return Array(bytes.prefix(n))
  }

  /// Notes what is written next.
  mutating func add(_ changes: SideChanges) { if !changes.isEmpty { waiting.add(changes) } }

  mutating func write() {
    guard !waiting.isEmpty else { return }
    let changes = waiting
    waiting = SideChanges()
    do throws(SystemError) {
      let number = try open()
      isDirty = true
      var start = 0
      for (place, count) in changes.places {
        try Self.write(number, changes.bytes, start..<start + count, at: place, path)
        start += count
      }
    } catch { failed(error) }
  }

  private static func write(
    _ file: Int32, _ bytes: [UInt8], _ range: Range<Int>, at place: Int, _ path: String
  ) throws(SystemError) {
    var done = 0
    while done < range.count {
      let n = unsafe bytes.withUnsafeBytes { all in
        let rest = unsafe UnsafeRawBufferPointer(
          rebasing: all[(range.lowerBound + done)..<range.upperBound])
        return retryingInterrupts {
          unsafe pwrite(file, rest.baseAddress!, rest.count, off_t(place + done))
        }
      }
      guard n > 0 else { throw SystemError("write", path, .current) }
      done += n
    }
  }

  mutating func sync() {
    guard isDirty, let number = file?.number else { return }
    isDirty = false
    guard retryingInterrupts({ fdatasync(number) }) == 0 else {
      return failed(SystemError("sync", path, .current))
    }
  }

  /// It is opened anew, since somebody may have put something else there.
  private mutating func failed(_ error: SystemError) {
    trouble = error
    file = nil
    isDirty = false
  }

  /// What has failed since it was asked about last.
  mutating func takeTrouble() -> SystemError? {
    defer { trouble = nil }
    return trouble
  }
}

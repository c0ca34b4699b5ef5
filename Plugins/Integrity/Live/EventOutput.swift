import Glibc
import Linux

/// Where events are written: a file that is appended to, or standard output. What cannot be written
/// waits, in bounded memory; what is too much is counted.
final class EventOutput {
  private static let bound = 4 << 20

  private var path: String?
  private var file: Descriptor?
  private var waiting: [UInt8] = []
  private var lines = 0
  /// How many events there were so far, and up to which of them all are written.
  private(set) var place: UInt64 = 0
  private(set) var writtenUpTo: UInt64 = 0
  /// How many bytes each of the events that wait has.
  private var sizes: [(place: UInt64, bytes: Int)] = []
  /// Bytes of the first of them that are written.
  private var begun = 0
  private(set) var written = 0
  private(set) var dropped = 0
  /// Why nothing can be written, as long as that is so.
  private(set) var obstacle: String?

  init(_ path: String?) { self.path = path }

  var waits: Bool { !waiting.isEmpty }
  var hasRoom: Bool { waiting.count < Self.bound }

  /// Takes an event of one or more lines.
  ///
  /// - Returns: whether there was room for it: then it is written when `writtenUpTo` has come to `place`.
  @discardableResult
  func event(_ text: [String]) -> Bool {
    guard hasRoom else {
      dropped += text.count
      return false
    }
    let before = waiting.count
    for line in text {
      waiting += line.utf8
      waiting.append(0x0a)
    }
    lines += text.count
    place += 1
    sizes.append((place, waiting.count - before))
    return true
  }

  /// Writes to another file from now on; what waits goes there too, whole.
  func move(to path: String?) {
    self.path = path
    beginsAnew()
  }

  private func beginsAnew() {
    file = nil
    begun = 0
  }

  /// Writes what waits.
  func flush() {
    guard !waiting.isEmpty else { return }
    do throws(SystemError) {
      if let path, file == nil { file = try Self.open(path) }
      let number = Self.number(file)
      let before = path == nil ? 0 : (try? Files.status(of: number).names) ?? 0
      // Somebody removed it: what is written there nobody would see.
      if path != nil, before == 0 {
        beginsAnew()
        return flush()
      }
      while !waiting.isEmpty {
        let result = unsafe waiting.withUnsafeBytes {
          unsafe Transfer.write(number, UnsafeRawBufferPointer(rebasing: $0[begun...]))
        }
        switch result {
        case .bytes(let count): noteWritten(count)
        case .wouldBlock: return
        case .failed(let errno):
          throw SystemError("write to", path ?? "standard output", errno)
        }
      }
      written += lines
      lines = 0
      obstacle = nil
    } catch { obstacle = error.description }
  }

  private func noteWritten(_ count: Int) {
    begun += count
    var whole = 0
    var bytes = 0
    for event in sizes {
      guard bytes + event.bytes <= begun else { break }
      bytes += event.bytes
      whole += 1
      writtenUpTo = event.place
    }
    sizes.removeFirst(whole)
    waiting.removeFirst(bytes)
    begun -= bytes
  }

  /// A line that somebody left half written, as at a full disk, is ended: nothing is to be taken for its
  /// rest.
  private static func open(_ path: String) throws(SystemError) -> Descriptor {
    let file = try Descriptor.open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, mode: 0o600)
    guard DescriptorKind.isRegularFile(file.number),
      let size = try? file.length(), size > 0,
      let read = try? Descriptor.open(path, O_RDONLY | O_NOFOLLOW),
      let last = try? read.bytes(at: Int(size) - 1, count: 1), last != [0x0a]
    else { return file }
    _ = unsafe [UInt8(ascii: "\n")].withUnsafeBytes { unsafe Transfer.write(file.number, $0) }
    return file
  }

  private static func number(_ file: borrowing Descriptor?) -> Int32 {
    switch file {
    case .some(let file): file.number
    case .none: 1
    }
  }
}

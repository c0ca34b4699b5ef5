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
  /// Where the events that wait end, in bytes of all.
  private var ends: [(place: UInt64, end: UInt64)] = []
  /// Bytes of all events, and those that are written.
  private var taken: UInt64 = 0
  private var done: UInt64 = 0
  private(set) var written = 0
  private(set) var dropped = 0
  /// Why nothing can be written, as long as that is so.
  private(set) var obstacle: String?

  init(_ path: String?) { self.path = path }

  var waits: Bool { !waiting.isEmpty }

  /// Takes an event of one or more lines.
  ///
  /// - Returns: whether there was room for it: then it is written when `writtenUpTo` has come to `place`.
  @discardableResult
  func event(_ text: [String]) -> Bool {
    guard waiting.count < Self.bound else {
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
    taken += UInt64(waiting.count - before)
    ends.append((place, taken))
    return true
  }

  /// Writes to another file from now on; what waits goes there too.
  func move(to path: String?) {
    self.path = path
    file = nil
  }

  /// Writes what waits.
  func flush() {
    guard !waiting.isEmpty else { return }
    do throws(SystemError) {
      if let path, file == nil {
        file = try Descriptor.open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, mode: 0o600)
      }
      let number = Self.number(file)
      let before = path == nil ? 0 : (try? Files.status(of: number).names) ?? 0
      // Somebody removed it: what is written there nobody would see.
      if path != nil, before == 0 {
        file = nil
        return flush()
      }
      while !waiting.isEmpty {
        switch unsafe waiting.withUnsafeBytes({ unsafe Transfer.write(number, $0) }) {
        case .bytes(let count):
          waiting.removeFirst(count)
          noteWritten(count)
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
    done += UInt64(count)
    let whole = ends.prefix { $0.end <= done }
    if let last = whole.last { writtenUpTo = last.place }
    ends.removeFirst(whole.count)
  }

  private static func number(_ file: borrowing Descriptor?) -> Int32 {
    switch file {
    case .some(let file): file.number
    case .none: 1
    }
  }
}

import AudispatchPlugin
import Glibc
import Linux

/// Where lines go: standard output, or a file that is opened again on request.
///
/// Lines are put together to 64 KiB, and written when the input pauses.
struct LineOutput: ~Copyable {
  private static let batch = 64 << 10

  private let path: String?
  private var file: Descriptor?
  private var buffer: [UInt8] = []
  /// Whether somebody looks at the lines as they are.
  let isTerminal: Bool

  init(path: String?) throws(SystemError) {
    self.path = path
    isTerminal = path == nil && isatty(1) == 1
    file = try Self.open(path)
  }

  private static func open(_ path: String?) throws(SystemError) -> Descriptor? {
    guard let path else { return nil }
    return try Descriptor.open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOCTTY, mode: 0o640)
  }

  mutating func add(_ line: some Sequence<UInt8>) throws(SystemError) {
    buffer += line
    buffer.append(UInt8(ascii: "\n"))
    if buffer.count >= Self.batch { try flush() }
  }

  /// Whether everything that was added is written.
  var isWritten: Bool { buffer.isEmpty }

  /// Adds lines that have their newlines.
  mutating func add(lines: [UInt8]) throws(SystemError) {
    buffer += lines
    if buffer.count >= Self.batch { try flush() }
  }

  /// Writes what was added; blocks until it is taken.
  mutating func flush() throws(SystemError) {
    guard !buffer.isEmpty else { return }
    let number =
      switch file {
      case .some(let file): file.number
      case .none: Int32(1)
      }
    do {
      try Transfer.writeAll(number, buffer)
    } catch {
      throw SystemError("write to", path ?? "standard output", error)
    }
    buffer.removeAll(keepingCapacity: true)
  }

  /// Opens the file again, which may be a new one by now; keeps the old one if it cannot.
  mutating func reopen() throws(SystemError) {
    try flush()
    guard path != nil else { return }
    file = try Self.open(path)
  }
}

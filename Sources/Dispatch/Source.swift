import AuditRecord
import Configuration
import Journal
import Linux

/// Where records come from at this moment: a descriptor, and what was read from it and is not yet a
/// record.
final class Source {
  /// The word for it in the status.
  let kind: String
  /// Whether it can wait for plugins: a regular file can.
  let canWait: Bool
  private var input: Descriptor?
  var inputNumber: Int32? { input?.number }
  /// Whether the descriptor can be waited for; a regular file is always ready.
  var isPolled = false
  private var buffer: [UInt8]
  private var start = 0
  private var end = 0
  private(set) var reader: RecordReader
  private let framing: RecordReader.Framing
  /// Nothing will follow what is in the buffer.
  private(set) var hasEnded = false

  private(set) var records: UInt64 = 0
  private(set) var bytes: UInt64 = 0
  private(set) var malformed = [UInt64](repeating: 0, count: MalformedInput.allCases.count)

  /// What was skipped since `takeMalformed`, and the first sample of it.
  private var malformedNews: (kind: MalformedInput, sample: [UInt8])?

  init(kind: String, canWait: Bool, framing: InputFraming) {
    self.kind = kind
    self.canWait = canWait
    self.framing =
      switch framing {
      case .automatic: .undecided
      case .compact: .compact
      case .fixed: .fixed
      }
    reader = RecordReader(framing: self.framing)
    buffer = [UInt8](repeating: 0, count: 256 << 10)
  }

  var malformedTotal: UInt64 { malformed.reduce(0, +) }

  /// Bytes that were read and are not yet a record.
  var pendingBytes: Int { end - start }

  /// Begins to read from a new stream.
  func open(_ descriptor: consuming Descriptor) {
    input = consume descriptor
    reader = RecordReader(framing: framing)
    start = 0
    end = 0
    hasEnded = false
  }

  func close() { input = nil }

  /// Says that nothing will follow.
  func markEnded() { hasEnded = true }

  /// Reads once.
  func fill() -> ReadResult {
    guard let fd = input?.number else { return .end }
    if start == end {
      start = 0
      end = 0
    } else if buffer.count - end < RecordReader.lookahead {
      let rest = start..<end
      unsafe buffer.withUnsafeMutableBytes { raw in
        unsafe raw.baseAddress!.copyMemory(
          from: raw.baseAddress! + rest.lowerBound, byteCount: rest.count)
      }
      start = 0
      end = rest.count
    }
    let result = unsafe buffer.withUnsafeMutableBytes { raw in
      unsafe Transfer.read(fd, into: UnsafeMutableRawBufferPointer(rebasing: raw[end...]))
    }
    if case .bytes(let count) = result {
      end += count
      bytes += UInt64(count)
    }
    return result
  }

  /// Appends the records that are there to the journal, `limit` at the most.
  func takeRecords(limit: Int, into journal: Journal) {
    // Locals: a property of a class is guarded at every access.
    var reader = self.reader
    var position = start
    var left = limit
    let held = buffer
    let span = held.span.extracting(0..<end)
    scan: while true {
      let (stop, taken) = journal.take(span, &reader, &position, ended: hasEnded, limit: left)
      left -= taken
      guard case .malformed(let kind, let sample) = stop else { break scan }
      malformed[MalformedInput.allCases.firstIndex(of: kind) ?? 0] += 1
      if malformedNews == nil {
        var bytes: [UInt8] = []
        for i in sample { bytes.append(span[i]) }
        malformedNews = (kind, bytes)
      }
    }
    self.reader = reader
    start = position
    records += UInt64(limit - left)
  }

  /// The kind of the first thing skipped since the last call, and a sample fit for a message.
  func takeMalformed() -> (kind: MalformedInput, sample: String)? {
    guard let news = malformedNews else { return nil }
    malformedNews = nil
    return (news.kind, printable(news.sample))
  }
}

/// Bytes as text for a message: what is not printable ASCII is written `\xNN`.
func printable(_ bytes: some Sequence<UInt8>) -> String {
  var text = ""
  for byte in bytes {
    if byte >= 0x20, byte < 0x7f, byte != UInt8(ascii: "\\") {
      text.unicodeScalars.append(Unicode.Scalar(byte))
    } else {
      let hex = String(byte, radix: 16)
      text += byte < 16 ? "\\x0\(hex)" : "\\x\(hex)"
    }
  }
  return text
}

/// What a readiness refers to: a kind in the upper half, a number in the lower.
enum Token {
  static let source: UInt64 = 1 << 32
  static let signals: UInt64 = 2 << 32
  static let pluginInput: UInt64 = 3 << 32
  static let pluginEnd: UInt64 = 4 << 32
  static let pluginOutput: UInt64 = 5 << 32
  static let control: UInt64 = 6 << 32
  static let client: UInt64 = 7 << 32
  static let helperOutput: UInt64 = 8 << 32
  static let spool: UInt64 = 9 << 32

  static func kind(_ token: UInt64) -> UInt64 { token & 0xffff_ffff_0000_0000 }
  static func number(_ token: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: token) }
}

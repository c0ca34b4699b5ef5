/// Reads the kernel's audit messages, one behind the other, from any source of bytes.
///
/// A message is a `nlmsghdr` in host byte order (length with these 16 bytes, type, flags, sequence,
/// port) and the bare text `audit(SECONDS.MILLISECONDS:SERIAL): …`. Up to three zero bytes of
/// alignment may stand between two messages. What comes out does not depend on how the bytes were
/// split into reads, and a message is given out with its last byte, unless its end is doubtful.
///
/// What is no message is skipped up to the next thing that looks like one: a possible length and,
/// behind the header, `audit(`. A text holds no NUL; a message in whose text another message begins
/// has a wrong length and is skipped, so that it takes nothing with it.
public struct NetlinkReader: Sendable {
  /// Why bytes were skipped.
  public enum Fault: String, CaseIterable, Sendable {
    /// The length is impossible, or another message begins inside.
    case length
    /// The text is not that of a record.
    case text
    /// The input ended inside a message.
    case truncated
  }

  /// One run of bytes that was skipped.
  public struct Malformed: Equatable, Sendable {
    public let fault: Fault
    public internal(set) var byteCount: Int
    /// The first bytes, at most 32.
    public internal(set) var sample: [UInt8]
  }

  /// The longest text that is taken for one. The kernel's own longest is below 9,000 bytes.
  public static let longestText = 16 << 10

  static let headerSize = 16
  /// Header and `audit(`: what tells a message.
  static let signatureSize = 22

  private var bytes: [UInt8] = []
  /// Where the first byte stands that is neither given out nor skipped.
  private var start = 0
  /// Up to where the message at `start` was searched for a NUL.
  private var searched = 0
  /// How many bytes of alignment may stand at `start`.
  private var padding = 0
  private var skipping: Malformed?

  public init() {}

  /// Takes the next bytes, and gives out what became complete with them.
  public mutating func read(
    _ more: Span<UInt8>, record: (_ type: UInt16, _ text: Span<UInt8>) -> Void,
    malformed: (Malformed) -> Void
  ) {
    bytes.reserveCapacity(bytes.count + more.count)
    for i in more.indices { bytes.append(more[i]) }
    while step(atEnd: false, record, malformed) {}
    bytes.removeFirst(start)
    searched -= start
    start = 0
  }

  /// Says that nothing follows, and gives out what waited for more.
  public mutating func finish(
    record: (_ type: UInt16, _ text: Span<UInt8>) -> Void, malformed: (Malformed) -> Void
  ) {
    while step(atEnd: true, record, malformed) {}
    self = NetlinkReader()
  }

  /// Takes one step; false when more bytes are needed, or at the end none is left.
  private mutating func step(
    atEnd: Bool, _ record: (UInt16, Span<UInt8>) -> Void, _ malformed: (Malformed) -> Void
  ) -> Bool {
    if skipping != nil { return skip(atEnd: atEnd, malformed) }
    if padding > 0 { return passPadding(atEnd: atEnd) }
    let left = bytes.count - start
    guard left >= NetlinkReader.signatureSize else {
      if atEnd, left > 0 { giveUp(.truncated, upTo: bytes.count, malformed) }
      return false
    }
    guard let length = bytes.span.messageLength(at: start) else {
      skipping = Malformed(fault: .length, byteCount: 0, sample: [])
      pass(1)
      return true
    }
    guard bytes.span.has("audit(", at: start + NetlinkReader.headerSize) else {
      skipping = Malformed(fault: .text, byteCount: 0, sample: [])
      pass(1)
      return true
    }
    return take(length, atEnd: atEnd, record, malformed)
  }

  /// Gives out the message at `start`, unless its length is wrong.
  private mutating func take(
    _ length: Int, atEnd: Bool, _ record: (UInt16, Span<UInt8>) -> Void,
    _ malformed: (Malformed) -> Void
  ) -> Bool {
    let end = start + length
    let from = max(searched, start + NetlinkReader.signatureSize)
    if let nul = bytes.span.firstIndex(of: 0, from: from), nul < end {
      // A header has zero bytes, and a text has none: a message may begin here.
      let needed = end + NetlinkReader.signatureSize - 1
      let first = start + NetlinkReader.signatureSize
      if let next = bytes.span.signature(from: first, before: end) {
        giveUp(.length, upTo: next, malformed)
        return true
      }
      if bytes.count < needed, !atEnd { return false }
    } else {
      searched = min(bytes.count, end)
    }
    guard bytes.count >= end else {
      if atEnd { giveUp(.truncated, upTo: bytes.count, malformed) }
      return false
    }
    let type = UInt16(bytes[start + 4]) | UInt16(bytes[start + 5]) << 8
    record(type, bytes.span.extracting(start + NetlinkReader.headerSize..<end))
    start = end
    padding = -length & 3
    return true
  }

  /// Passes zero bytes of alignment if a message, or nothing, stands behind them.
  private mutating func passPadding(atEnd: Bool) -> Bool {
    let left = bytes.count - start
    let zeros = bytes.span.zeros(from: start, atMost: padding)
    if left >= NetlinkReader.signatureSize, bytes.span.isSignature(at: start) {
      padding = 0
      return true
    }
    // Less than all of the padding, or something else: not decided before there is enough to see.
    if !atEnd, left < padding + NetlinkReader.signatureSize { return false }
    if zeros == padding, bytes.span.isSignature(at: start + padding) {
      start += padding
    } else if zeros == left {
      start += left
    }
    padding = 0
    return true
  }

  /// Skips up to the next message.
  private mutating func skip(atEnd: Bool, _ malformed: (Malformed) -> Void) -> Bool {
    if let next = bytes.span.signature(from: start, before: bytes.count) {
      pass(next - start)
    } else if atEnd {
      pass(bytes.count - start)
    } else {
      pass(max(0, bytes.count - start - NetlinkReader.signatureSize + 1))
      return false
    }
    if let run = skipping { malformed(run) }
    skipping = nil
    padding = 0
    return true
  }

  /// Skips bytes in the run that was begun.
  private mutating func pass(_ count: Int) {
    guard var run = skipping else { return }
    for i in start..<start + min(count, 32 - run.sample.count) { run.sample.append(bytes[i]) }
    run.byteCount += count
    skipping = run
    start += count
  }

  /// Skips what stands before `end` as one run.
  private mutating func giveUp(_ fault: Fault, upTo end: Int, _ malformed: (Malformed) -> Void) {
    skipping = Malformed(fault: fault, byteCount: 0, sample: [])
    pass(end - start)
    if let run = skipping { malformed(run) }
    skipping = nil
    padding = 0
  }
}

extension Span<UInt8> {
  /// The length, header included, of the message whose header stands at `position`, if possible.
  fileprivate func messageLength(at position: Int) -> Int? {
    guard count - position >= NetlinkReader.headerSize else { return nil }
    guard self[position + 2] == 0, self[position + 3] == 0 else { return nil }
    let length = Int(self[position]) | Int(self[position + 1]) << 8
    let longest = NetlinkReader.headerSize + NetlinkReader.longestText
    return length >= NetlinkReader.signatureSize && length <= longest ? length : nil
  }

  fileprivate func isSignature(at position: Int) -> Bool {
    messageLength(at: position) != nil && has("audit(", at: position + NetlinkReader.headerSize)
  }

  /// The first place from `first` on and before `end` where a message seems to begin.
  fileprivate func signature(from first: Int, before end: Int) -> Int? {
    var at = first
    let last = Swift.min(end - 1, count - NetlinkReader.signatureSize)
    while at <= last {
      if self[at + 2] == 0, isSignature(at: at) { return at }
      at += 1
    }
    return nil
  }

  /// How many of the bytes from `first` on are zero, one behind the other, at most `limit`.
  fileprivate func zeros(from first: Int, atMost limit: Int) -> Int {
    var n = 0
    while n < limit, first + n < count, self[first + n] == 0 { n += 1 }
    return n
  }
}

import AuditRecord

/// Turns the kernel's messages into the binary records that auditd 3.0.9 gives its dispatcher.
///
/// A binary record is a header of four 32-bit numbers in host order (version, 16, type, size) and
/// `size` bytes. Version 1 is a finished line, `[node=N ]type=T msg=audit(…): …`, without newline;
/// version 0, for raw records without a node's name, is the kernel's text as it came.
///
/// What auditd does to a line, and so this does:
/// - A type that libaudit has no name for is written `UNKNOWN[number]`.
/// - A text ends at its first NUL; newlines become spaces; without a node one trailing space goes.
/// - A line is cut at 8,937 bytes, with a node's name at 9,192, before enrichment.
/// - Enrichment may make it longer, up to 9,225; the finished line is cut at 8,969, and then its
///   size counts a NUL behind it.
///
/// What auditd does not do: a 0x1d in the kernel's text, which a program may have put into its
/// message, is written `\x1d`. So what stands behind a 0x1d is the enrichment, and nobody else's.
public struct RecordFormatter: ~Copyable {
  public enum Content: Sendable {
    case raw, enriched
  }

  /// The most bytes of text or line in one binary record (libaudit's limit).
  public static let longestPayload = 8970

  private let content: Content
  private let node: [UInt8]?
  private let enricher: Enricher?
  private var typeNames: [UInt32: [UInt8]] = [:]
  private var line: [UInt8] = []

  /// A formatter that writes `node=` in front of each line if `node` is not `nil`.
  public init(content: Content, node: String?) {
    self.content = content
    self.node = node.map { Array($0.utf8) }
    enricher = content == .enriched ? Enricher() : nil
    line.reserveCapacity(LineLimit.buffer)
  }

  /// Appends the binary record of one message to `output`.
  ///
  /// Enriching looks up the names of users and groups, and blocks for as long as that takes.
  public mutating func format(type: UInt32, text: Span<UInt8>, into output: inout [UInt8]) {
    guard text.firstIndex(of: 0x1D, from: 0) == nil else {
      let plain = text.withoutSeparators
      return formatPlain(type: type, text: plain.span, into: &output)
    }
    formatPlain(type: type, text: text, into: &output)
  }

  private mutating func formatPlain(
    type: UInt32, text: Span<UInt8>, into output: inout [UInt8]
  ) {
    if content == .raw, node == nil {
      let size = min(text.count, RecordFormatter.longestPayload)
      output.appendHeader(version: 0, type: type, size: size)
      output.append(text.extracting(first: size))
      return
    }
    beginLine(type: type, text: text)
    enricher?.enrich(&line, type: type)
    if line.count < RecordFormatter.longestPayload - 1 {
      output.appendHeader(version: 1, type: type, size: line.count)
      output += line
    } else {
      output.appendHeader(version: 1, type: type, size: RecordFormatter.longestPayload)
      output += line[..<(RecordFormatter.longestPayload - 1)]
      output.append(0)
    }
  }

  private mutating func beginLine(type: UInt32, text: Span<UInt8>) {
    line.removeAll(keepingCapacity: true)
    if let node {
      line += [UInt8]("node=".utf8)
      line += node
      line.append(0x20)
    }
    line += [UInt8]("type=".utf8)
    line += name(of: type)
    line += [UInt8](" msg=".utf8)
    let length = text.firstIndex(of: 0, from: 0) ?? text.count
    let limit = node == nil ? LineLimit.plain : LineLimit.withNode
    let whole = line.count + length <= limit
    line.append(text.extracting(first: whole ? length : max(0, limit - line.count)))
    for i in line.indices where line[i] == 0x0A { line[i] = 0x20 }
    // With a node auditd's own newline is what it trims.
    if node == nil, whole, line.last == 0x20 { line.removeLast() }
  }

  private mutating func name(of type: UInt32) -> [UInt8] {
    if let name = typeNames[type] { return name }
    let name = Array(RecordType(rawValue: type).name.utf8)
    // The numbers are the sender's choice; the known ones are a few hundred.
    if typeNames.count < 1024 { typeNames[type] = name }
    return name
  }
}

/// auditd's limits on a line, in bytes.
enum LineLimit {
  static let plain = 8970 - 33
  static let withNode = buffer - 33
  /// Line and enrichment together, before the line is cut to what a record holds.
  static let buffer = 8970 + 255
  /// With so little left, no further field is looked at.
  static let reserve = 24
}

extension Span<UInt8> {
  /// The bytes with `\x1d` for each 0x1d.
  fileprivate var withoutSeparators: [UInt8] {
    var plain: [UInt8] = []
    plain.reserveCapacity(count + 16)
    for at in indices {
      if self[at] == 0x1D { plain += #"\x1d"#.utf8 } else { plain.append(self[at]) }
    }
    return plain
  }
}

extension [UInt8] {
  fileprivate mutating func appendHeader(version: UInt32, type: UInt32, size: Int) {
    for number in [version, 16, type, UInt32(size)] {
      unsafe Swift.withUnsafeBytes(of: number) { unsafe append(contentsOf: $0) }
    }
  }

  mutating func append(_ bytes: Span<UInt8>) {
    unsafe bytes.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
  }
}

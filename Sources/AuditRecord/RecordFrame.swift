/// Where one record stands in the input.
public struct RecordFrame: Equatable, Sendable {
  /// How the record came.
  public enum Form: UInt8, Sendable {
    /// A line of text: `[node=N ]type=T msg=audit(…): …`; without what a system log put before it.
    case line
    /// Binary version 1: a finished line behind a header that gives its type.
    case finished
    /// Binary version 0: the kernel's bare text, `audit(…): …`, behind a header.
    case bare
  }

  public var form: Form
  /// The type in the binary header; 0 for a line, whose type is its name.
  public var type: UInt32
  /// The record without header, newline and padding.
  public var payload: Range<Int>

  @inlinable
  public init(form: Form, type: UInt32, payload: Range<Int>) {
    self.form = form
    self.type = type
    self.payload = payload
  }
}

/// The binary header that auditd puts before a record: version, header length, type and size of
/// the payload, four 32-bit numbers in the host's byte order (`audisp` protocol, libaudit.h).
public struct BinaryHeader: Equatable, Sendable {
  public static let size = 16
  /// `MAX_AUDIT_MESSAGE_LENGTH`.
  public static let maximumPayload = 8970
  /// A record as auditd up to 4.1.0 writes it, whatever its payload's size.
  public static let fixedRecord = size + maximumPayload

  public var version: UInt32
  public var type: UInt32
  public var payloadSize: UInt32

  public init(version: UInt32, type: UInt32, payloadSize: UInt32) {
    self.version = version
    self.type = type
    self.payloadSize = payloadSize
  }

  /// The header at `position`, whose 16 bytes are there; `nil` when it cannot be one.
  ///
  /// An unknown version is returned: the caller says that it cannot read it.
  @inlinable @inline(__always)
  public init?(_ bytes: Span<UInt8>, at position: Int) {
    guard position >= 0, bytes.count - position >= Self.size else { return nil }
    let words = unsafe bytes.withUnsafeBytes { raw in
      unsafe raw.loadUnaligned(fromByteOffset: position, as: SIMD4<UInt32>.self)
    }
    guard words[1] == UInt32(Self.size), words[3] <= UInt32(Self.maximumPayload) else { return nil }
    version = words[0]
    type = words[2]
    payloadSize = words[3]
  }

  @inlinable @inline(__always)
  public var isKnownVersion: Bool { version <= 1 }
}

/// What was wrong with a stretch of input that had to be skipped.
public enum MalformedInput: String, CaseIterable, Sendable {
  /// A line that is not `[node=N ]type=T msg=audit(…):`.
  case notARecord = "not a record"
  /// A line of more than 16 KiB.
  case lineTooLong = "line over 16 KiB"
  /// A binary header that cannot be one.
  case badHeader = "bad header"
  /// A binary header of a version that is neither 0 nor 1.
  case unknownVersion = "unknown version"
  /// The input ended inside a record.
  case truncated = "cut off"
}

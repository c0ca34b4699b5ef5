import Linux

/// One record of the log as it lies on disk (`Documentation/spool-format.md`): 32 bytes of header,
/// the text, the payload, zeros up to a multiple of eight bytes.
struct SpoolRecord: Equatable, Sendable {
  enum Kind: UInt8, Sendable {
    /// The first record of a file; its text names the format and its version.
    case head = 0xa0
    /// An audit record.
    case data = 0xa1
    /// Where a plugin stands.
    case cursor = 0xa2
    /// Audit records that a plugin is not to get.
    case hole = 0xa3
  }

  /// A flag that no entry of the journal has: the payload says who sent the record.
  static let isSent: UInt8 = 16
  static let headerSize = 32
  /// No record has more bytes, padding included.
  static let longest = (headerSize + 2 * Int(UInt16.max) + 7) / 8 * 8

  var kind: Kind
  /// The flags of the record's entry in the journal.
  var flags: UInt8
  /// Of an audit record its own number; else the number that the next one has.
  var sequence: LogRecordNumber
  /// Likewise of events.
  var event: LogEventNumber
  var type: UInt32
  var bareOffset: UInt16
  /// In the bytes that were read.
  var text: Range<Int>
  var payload: Range<Int>
  /// Behind the padding.
  var end: Int

  var start: Int { text.lowerBound - Self.headerSize }

  /// The record at a place; `nil` when none stands there, or a damaged one.
  ///
  /// - Parameter salt: of the file; without it nobody can make a text that looks like a record.
  init?(_ bytes: Span<UInt8>, at start: Int, salt: UInt32) {
    guard start >= 0, bytes.count - start >= Self.headerSize else { return nil }
    let header = unsafe bytes.withUnsafeBytes { raw in
      unsafe (
        crc: raw.loadUnaligned(fromByteOffset: start, as: UInt32.self).littleEndian,
        text: Int(raw.loadUnaligned(fromByteOffset: start + 4, as: UInt16.self).littleEndian),
        payload: Int(raw.loadUnaligned(fromByteOffset: start + 6, as: UInt16.self).littleEndian),
        sequence: raw.loadUnaligned(fromByteOffset: start + 8, as: UInt64.self).littleEndian,
        event: raw.loadUnaligned(fromByteOffset: start + 16, as: UInt64.self).littleEndian,
        type: raw.loadUnaligned(fromByteOffset: start + 24, as: UInt32.self).littleEndian,
        bare: raw.loadUnaligned(fromByteOffset: start + 28, as: UInt16.self).littleEndian,
        kind: raw[start + 30], flags: raw[start + 31]
      )
    }
    guard let kind = Kind(rawValue: header.kind), header.sequence < SpoolFile.numberLimit,
      header.event < SpoolFile.numberLimit
    else { return nil }
    let size = Self.headerSize + header.text + header.payload
    guard bytes.count - start >= size else { return nil }
    let crc = Bytes.crc32c(salt, bytes.extracting(start + 4..<start + size))
    guard crc == header.crc else { return nil }
    self.kind = kind
    flags = header.flags
    sequence = LogRecordNumber(header.sequence)
    event = LogEventNumber(header.event)
    type = header.type
    bareOffset = header.bare
    text = start + Self.headerSize..<start + Self.headerSize + header.text
    payload = text.upperBound..<start + size
    end = start + (size + 7) / 8 * 8
  }

  /// Appends a record.
  static func append(
    to bytes: inout [UInt8], salt: UInt32, kind: Kind, flags: UInt8 = 0, sequence: LogRecordNumber,
    event: LogEventNumber, type: UInt32 = 0, bareOffset: UInt16 = 0, text: UnsafeRawBufferPointer,
    payload: UnsafeRawBufferPointer = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
  ) {
    let size = headerSize + text.count + payload.count
    let padded = (size + 7) / 8 * 8
    unsafe bytes.append(addingCapacity: padded) { free in
      guard let raw = free.baseAddress else { return }
      unsafe raw.storeBytes(
        of: UInt16(text.count).littleEndian, toByteOffset: 4, as: UInt16.self)
      unsafe raw.storeBytes(
        of: UInt16(payload.count).littleEndian, toByteOffset: 6, as: UInt16.self)
      unsafe raw.storeBytes(of: sequence.value.littleEndian, toByteOffset: 8, as: UInt64.self)
      unsafe raw.storeBytes(of: event.value.littleEndian, toByteOffset: 16, as: UInt64.self)
      unsafe raw.storeBytes(of: type.littleEndian, toByteOffset: 24, as: UInt32.self)
      unsafe raw.storeBytes(of: bareOffset.littleEndian, toByteOffset: 28, as: UInt16.self)
      unsafe raw.storeBytes(of: kind.rawValue, toByteOffset: 30, as: UInt8.self)
      unsafe raw.storeBytes(of: flags, toByteOffset: 31, as: UInt8.self)
      if let from = text.baseAddress {
        unsafe (raw + headerSize).copyMemory(from: from, byteCount: text.count)
      }
      if let from = payload.baseAddress {
        unsafe (raw + headerSize + text.count).copyMemory(from: from, byteCount: payload.count)
      }
      for i in size..<padded { unsafe raw.storeBytes(of: 0, toByteOffset: i, as: UInt8.self) }
      let checked = unsafe UnsafeRawBufferPointer(start: raw + 4, count: size - 4)
      let crc = unsafe Bytes.crc32c(salt, Span<UInt8>(_unsafeBytes: checked))
      unsafe raw.storeBytes(of: crc.littleEndian, toByteOffset: 0, as: UInt32.self)
    }
  }
}

extension [UInt8] {
  /// Appends so many bytes that `body` writes.
  fileprivate mutating func append(
    addingCapacity count: Int, _ body: (UnsafeMutableRawBufferPointer) -> Void
  ) {
    let start = self.count
    append(contentsOf: repeatElement(0, count: count))
    unsafe withUnsafeMutableBytes {
      unsafe body(UnsafeMutableRawBufferPointer(rebasing: $0[start...]))
    }
  }
}

/// What the log says of a plugin.
public struct SpoolCursor: Equatable, Sendable {
  /// The first record that it has not confirmed, or read.
  public var next: LogRecordNumber
  /// That record's number in its stream.
  public var number: StreamNumber
  /// Records that it is not to get, in order; those below `next` are forgotten.
  public var holes: [Range<LogRecordNumber>] = []
  /// When it was last set, in seconds since 1970.
  public var seconds: UInt64 = 0

  public init(next: LogRecordNumber, number: StreamNumber, seconds: UInt64 = 0) {
    self.next = next
    self.number = number
    self.seconds = seconds
  }

  /// What it is to get of some records.
  public func wanted(of records: Range<LogRecordNumber>) -> [Range<LogRecordNumber>] {
    var from = max(records.lowerBound, next)
    var wanted: [Range<LogRecordNumber>] = []
    for hole in holes where hole.upperBound > from && hole.lowerBound < records.upperBound {
      if from < hole.lowerBound { wanted.append(from..<hole.lowerBound) }
      from = max(from, hole.upperBound)
    }
    if from < records.upperBound { wanted.append(from..<records.upperBound) }
    return wanted
  }

  /// The plugin, if it was gone, gets what comes from that record on.
  public mutating func goOn(at record: LogRecordNumber) {
    guard let last = holes.last, last.upperBound == .max else { return }
    addHole(last.lowerBound..<max(last.lowerBound, record))
  }

  /// Adds a hole, or ends the one without an end that it begins in.
  mutating func addHole(_ hole: Range<LogRecordNumber>) {
    if let last = holes.last, last.upperBound == .max, last.contains(hole.lowerBound) {
      holes.removeLast()
      if last.lowerBound < hole.upperBound { holes.append(last.lowerBound..<hole.upperBound) }
    } else if !hole.isEmpty {
      let isInOrder = holes.last.map { $0.upperBound <= hole.lowerBound } ?? true
      holes.append(hole)
      if !isInOrder { holes.sort { $0.lowerBound < $1.lowerBound } }
      var place = isInOrder ? max(1, holes.count - 1) : 1
      while place < holes.count {
        let before = holes[place - 1]
        if before.upperBound >= holes[place].lowerBound {
          let end = max(before.upperBound, holes.remove(at: place).upperBound)
          holes[place - 1] = before.lowerBound..<end
        } else {
          place += 1
        }
      }
    }
  }

  mutating func move(to next: LogRecordNumber, number: StreamNumber, seconds: UInt64) {
    self.next = next
    self.number = number
    self.seconds = seconds
    if let first = holes.first, first.upperBound <= next {
      holes.removeAll { $0.upperBound <= next }
    }
  }
}

/// The texts of records that say where a plugin stands: three numbers and its name.
struct SpoolNote: Equatable, Sendable {
  static let longestName = 1024

  var values: (UInt64, UInt64, UInt64)
  var name: String

  static func == (a: SpoolNote, b: SpoolNote) -> Bool { a.values == b.values && a.name == b.name }

  init(_ first: UInt64, _ second: UInt64, _ third: UInt64, _ name: String) {
    values = (first, second, third)
    self.name = name
  }

  init?(_ bytes: Span<UInt8>, _ text: Range<Int>) {
    guard text.count >= 24, text.count <= 24 + Self.longestName else { return nil }
    values = unsafe bytes.withUnsafeBytes { raw in
      let load = { (place: Int) in
        unsafe raw.loadUnaligned(fromByteOffset: text.lowerBound + place, as: UInt64.self)
          .littleEndian
      }
      return (load(0), load(8), load(16))
    }
    var name: [UInt8] = []
    for i in text.lowerBound + 24..<text.upperBound { name.append(bytes[i]) }
    self.name = String(decoding: name, as: UTF8.self)
    // With what was no UTF-8 replaced it may have become longer.
    if self.name.utf8.count > Self.longestName { return nil }
  }

  /// As where a plugin stands.
  var cursor: SpoolCursor {
    SpoolCursor(
      next: LogRecordNumber(values.0), number: StreamNumber(values.1), seconds: values.2)
  }

  /// Whether such a place can be one of the log.
  var isInLog: Bool { values.0 < SpoolFile.numberLimit && values.1 < SpoolFile.numberLimit }

  /// As records that a plugin is not to get; `nil`: it cannot be such.
  var hole: Range<LogRecordNumber>? {
    values.0 <= values.1 ? LogRecordNumber(values.0)..<LogRecordNumber(values.1) : nil
  }

  func append(
    to bytes: inout [UInt8], salt: UInt32, kind: SpoolRecord.Kind, sequence: LogRecordNumber,
    event: LogEventNumber
  ) {
    var text: [UInt8] = []
    for value in [values.0, values.1, values.2] {
      unsafe withUnsafeBytes(of: value.littleEndian) { unsafe text.append(contentsOf: $0) }
    }
    text += Array(name.utf8.prefix(Self.longestName))
    unsafe text.withUnsafeBytes {
      unsafe SpoolRecord.append(
        to: &bytes, salt: salt, kind: kind, sequence: sequence, event: event, text: $0)
    }
  }
}

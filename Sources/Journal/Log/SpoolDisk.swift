import Linux

/// A folder of files as the log uses one: files grow at their ends only.
protocol SpoolDisk: ~Copyable {
  mutating func names() throws(Errno) -> [String]
  /// Makes an empty file, which must not exist.
  mutating func create(_ name: String) throws(Errno)
  /// Appends all of it, or throws with any part of it appended.
  mutating func append(_ name: String, _ bytes: [UInt8]) throws(Errno)
  mutating func sync(_ name: String) throws(Errno)
  mutating func syncFolder() throws(Errno)
  /// At most so many bytes; fewer only at the end of the file.
  mutating func read(_ name: String, from: Int, count: Int) throws(Errno) -> [UInt8]
  func size(_ name: String) throws(Errno) -> Int
  mutating func remove(_ name: String) throws(Errno)
}

/// A file of the log: what its name says.
struct SpoolFile: Equatable, Sendable {
  /// The number of the first audit record in it, or of the first one behind it when it has none.
  var first: LogRecordNumber
  /// Counts the files ever made; of two files with the same first record the later one counts.
  var generation: UInt32
  /// What the checksums in it begin with.
  var salt: UInt32

  /// Bytes, but for a last batch that is larger.
  static let size = 4 << 20
  /// Numbers of records and events stay below; what names others is not the log's.
  static let numberLimit: UInt64 = 1 << 62

  init(first: LogRecordNumber, generation: UInt32, salt: UInt32) {
    self.first = first
    self.generation = generation
    self.salt = salt
  }

  /// `FIRST-GENERATION-SALT.spool`, 16, 8 and 8 hexadecimal digits.
  init?(name: String) {
    guard name.hasSuffix(".spool") else { return nil }
    let parts = name.dropLast(6).split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 3, parts.map(\.utf8.count) == [16, 8, 8],
      let first = UInt64(parts[0], radix: 16), let generation = UInt32(parts[1], radix: 16),
      let salt = UInt32(parts[2], radix: 16), first < Self.numberLimit, generation < 1 << 31
    else { return nil }
    self.init(first: LogRecordNumber(first), generation: generation, salt: salt)
    if self.name != name { return nil }
  }

  var name: String {
    "\(Self.hex(first.value, 16))-\(Self.hex(generation, 8))-\(Self.hex(salt, 8)).spool"
  }

  private static func hex(_ value: some BinaryInteger, _ digits: Int) -> String {
    let text = String(value, radix: 16)
    return String(repeating: "0", count: digits - text.utf8.count) + text
  }
}

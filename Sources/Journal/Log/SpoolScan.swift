import Linux

/// Goes through bytes record by record, past what is damaged.
struct SpoolScan {
  let salt: UInt32
  /// Behind the last record returned.
  private(set) var position: Int

  init(salt: UInt32, from position: Int = 0) {
    self.salt = salt
    self.position = position
  }

  /// The next valid record; `nil` when there is none up to the end, with `position` unchanged.
  mutating func next(_ bytes: Span<UInt8>) -> SpoolRecord? {
    var at = position
    while at + SpoolRecord.headerSize <= bytes.count {
      if let record = SpoolRecord(bytes, at: at, salt: salt) {
        position = record.end
        return record
      }
      at += 8
    }
    return nil
  }
}

/// Goes through a file of the log, with a part of it in memory whatever its length.
struct SpoolWalk {
  private let file: SpoolFile
  private let chunk: Int
  private var scan: SpoolScan
  /// What the last record's ranges are in, and where in the file that begins.
  private(set) var bytes: [UInt8] = []
  private(set) var base = 0
  private var isRead = false
  /// Behind the last valid record.
  private(set) var position = 0
  /// Stretches in front of valid records that are none.
  private(set) var damaged: [Range<Int>] = []

  init(_ file: SpoolFile, chunk: Int = 512 << 10) {
    self.file = file
    self.chunk = max(chunk, 2 * SpoolRecord.longest)
    scan = SpoolScan(salt: file.salt)
  }

  /// The file's size, when it has been read to its end.
  var size: Int { base + bytes.count }

  /// The next valid record; `nil` at the end of the file, whatever stands behind `position`.
  mutating func next<Disk: SpoolDisk & ~Copyable>(_ disk: inout Disk) throws(Errno)
    -> SpoolRecord?
  {
    while true {
      var scan = self.scan
      let record = scan.next(bytes.span)
      self.scan = scan
      if let record {
        let start = base + record.start
        if start > position { damaged.append(position..<start) }
        position = base + record.end
        return record
      }
      if isRead { return nil }
      // The last bytes may be the beginning of a record.
      let tried = bytes.count - SpoolRecord.longest
      base += max(scan.position, tried / 8 * 8, 0)
      bytes = try disk.read(file.name, from: base, count: chunk)
      isRead = bytes.count < chunk
      self.scan = SpoolScan(salt: file.salt)
    }
  }
}

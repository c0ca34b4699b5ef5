/// Goes through a file's bytes record by record, past what is damaged.
struct SpoolScan {
  let salt: UInt32
  /// Behind the last record returned.
  private(set) var position: Int
  /// Stretches without a valid record that had to be stepped over.
  private(set) var damaged = 0

  init(salt: UInt32, from position: Int = 0) {
    self.salt = salt
    self.position = position
  }

  /// The next valid record; `nil` when there is none up to the end, with `position` unchanged.
  mutating func next(_ bytes: Span<UInt8>) -> SpoolRecord? {
    var at = position
    while at + SpoolRecord.headerSize <= bytes.count {
      if let record = SpoolRecord(bytes, at: at, salt: salt) {
        if at > position { damaged += 1 }
        position = record.end
        return record
      }
      at += 8
    }
    return nil
  }
}

extension Journal {
  /// Lays out what was read back from the log as it was laid out when it came.
  ///
  /// - Returns: segments by sequence number, a new one where numbers are missing.
  public func restore(_ records: LoadedRecords, from spool: Spool) -> [Segment] {
    let loaded = records.loaded
    var segments: [Segment] = []
    var place: Segment.End?
    func finish() {
      if let end = unsafe place { unsafe segments[segments.count - 1].advance(to: end) }
    }
    for record in loaded.records {
      let number = spool.number(record.sequence)
      let size = record.text.count + 2 + record.payload.count
      var end: Segment.End
      if let open = unsafe place, unsafe open.fits(size),
        unsafe segments[segments.count - 1].number(behind: open) == number
      {
        unsafe end = open
      } else {
        finish()
        segments.append(Segment(first: number, pool: pool))
        unsafe end = segments[segments.count - 1].end
      }
      let hasPayload = record.flags & Segment.Entry.payload != 0
      unsafe loaded.bytes.withUnsafeBytes { bytes in
        unsafe end.text.copyMemory(
          from: bytes.baseAddress! + record.text.lowerBound, byteCount: record.text.count)
        guard hasPayload else { return }
        let behind = unsafe end.text + record.text.count
        unsafe behind.storeBytes(of: UInt16(record.payload.count), as: UInt16.self)
        unsafe (behind + 2).copyMemory(
          from: bytes.baseAddress! + record.payload.lowerBound, byteCount: record.payload.count)
      }
      if hasPayload { unsafe end.hasPayloads = true }
      if record.flags & Segment.Entry.bare != 0 { unsafe end.hasBare = true }
      unsafe end.commit(
        textLength: record.text.count, bareOffset: Int(record.bareOffset),
        event: spool.eventNumber(record.event), type: record.type,
        flags: record.flags & ~SpoolRecord.isSent,
        bytes: record.text.count + (hasPayload ? 2 + record.payload.count : 0))
      unsafe place = end
    }
    finish()
    return segments
  }
}

import Linux

/// The durable log over any disk: appends batches, keeps where each plugin stands, removes what
/// nobody wants any more.
///
/// Its state is what the files say; `Documentation/spool-format.md` has the format and why a crash
/// at any moment leaves it readable.
struct SpoolLog<Disk: SpoolDisk & ~Copyable>: ~Copyable {
  var disk: Disk
  let salt: UInt32
  private let fileSize: Int
  private(set) var files: [SpoolFile] = []
  /// The last file takes appends.
  private(set) var isOpen = false
  private var size = 0
  private var generation: UInt32 = 0
  private(set) var nextSequence = LogRecordNumber(0)
  private(set) var nextEvent = LogEventNumber(0)
  private(set) var cursors: [String: SpoolCursor] = [:]
  /// As they are in what is synced: what they want is not removed.
  private var syncedCursors: [String: SpoolCursor] = [:]
  /// What was appended since the last sync.
  private var unsynced: [SpoolBatch] = []
  /// Damaged stretches found at opening.
  private(set) var damaged = 0

  /// Of the text of a record, as far as the files' sizes tell.
  private(set) var averageBytes = 300

  /// Reads the last file, or as many as it takes to find a whole checkpoint.
  init(_ disk: consuming Disk, salt: UInt32, fileSize: Int = SpoolFile.size) throws(Errno) {
    self.disk = disk
    self.fileSize = fileSize
    self.salt = salt
    files = try self.disk.names().compactMap { SpoolFile(name: $0) }
      .sorted { ($0.first, $0.generation) < ($1.first, $1.generation) }
    generation = files.map(\.generation).max() ?? 0
    var begin = files.count
    while begin > 0 {
      begin -= 1
      if try hasCheckpoint(files[begin]) { break }
    }
    for file in files[begin...] { try take(file) }
    // A file is removed only when every plugin is done with it, on a full disk even before that
    // could be written down.
    if let first = files.first?.first {
      for (name, cursor) in cursors where cursor.next < first {
        let done = cursor.wanted(of: cursor.next..<first).reduce(0) { $0 + UInt64($1.count) }
        let number = min(cursor.number.value + done, SpoolFile.numberLimit - 1)
        cursors[name]?.move(to: first, number: StreamNumber(number), seconds: cursor.seconds)
      }
    }
    syncedCursors = cursors
    if let first = files.first?.first, first < nextSequence {
      let bytes = files.reduce(0) { $0 + ((try? self.disk.size($1.name)) ?? 0) }
      let records = nextSequence - first
      averageBytes = max(1, bytes / records - SpoolRecord.headerSize - 4)
    }
  }

  private mutating func hasCheckpoint(_ file: SpoolFile) throws(Errno) -> Bool {
    var walk = SpoolWalk(file, chunk: 256 << 10)
    guard let head = try walk.next(&disk), head.kind == .head else { return false }
    for _ in 0..<head.type {
      guard walk.damaged.isEmpty, try walk.next(&disk) != nil else { return false }
    }
    return walk.damaged.isEmpty
  }

  private mutating func take(_ file: SpoolFile) throws(Errno) {
    nextSequence = max(nextSequence, file.first)
    var walk = SpoolWalk(file)
    while let record = try walk.next(&disk) {
      // Numbers that were given are not given again, also when the records are lost and only what
      // came behind them is there.
      let behind = record.kind == .data ? 1 : 0
      nextSequence = max(nextSequence, record.sequence + behind)
      nextEvent = max(nextEvent, record.event + behind)
      switch record.kind {
      case .head, .data: break
      case .cursor, .hole:
        if let note = SpoolNote(walk.bytes.span, record.text) { apply(record.kind, note) }
      }
    }
    damaged += walk.damaged.count
  }

  private mutating func apply(_ kind: SpoolRecord.Kind, _ note: SpoolNote) {
    switch kind {
    case .cursor where note.isInLog:
      let cursor = note.cursor
      cursors[note.name, default: SpoolCursor(next: cursor.next, number: cursor.number)]
        .move(to: cursor.next, number: cursor.number, seconds: cursor.seconds)
    case .cursor where note.cursor.next == .max: cursors[note.name] = nil
    case .hole: if let hole = note.hole { cursors[note.name]?.addHole(hole) }
    default: break
    }
  }

  // MARK: Appending

  /// Appends a batch; it is safe once `sync` has returned.
  ///
  /// When it throws, the batch and all that was not synced are not in the log.
  mutating func append(_ batch: SpoolBatch) throws(Errno) {
    unsynced.append(batch)
    do throws(Errno) {
      if !isOpen || size + batch.bytes.count > fileSize {
        // What is in the file is safe before a later one begins.
        if isOpen, unsynced.count > 1 {
          try disk.sync(files[files.count - 1].name)
          unsynced = [batch]
          syncedCursors = cursors
        }
        try begin(first: batch.first)
      }
      try write(batch)
    } catch { try replace() }
  }

  private mutating func write(_ batch: SpoolBatch) throws(Errno) {
    try disk.append(files[files.count - 1].name, batch.bytes)
    size += batch.bytes.count
    nextSequence = max(nextSequence, batch.nextSequence)
    nextEvent = max(nextEvent, batch.nextEvent)
    for (kind, note) in batch.notes { apply(kind, note) }
  }

  /// Makes everything appended safe, and removes what no plugin wants.
  mutating func sync() throws(Errno) {
    guard isOpen, !unsynced.isEmpty else { return }
    do throws(Errno) {
      try disk.sync(files[files.count - 1].name)
    } catch { try replace() }
    unsynced.removeAll(keepingCapacity: true)
    syncedCursors = cursors
    removeUnwanted(all: false)
  }

  /// A file that failed is not written again: its pages may count as clean though they are not.
  /// What is not safe goes into a new file.
  private mutating func replace() throws(Errno) {
    isOpen = false
    let again = unsynced
    do throws(Errno) {
      try begin(first: again.first?.first ?? nextSequence)
      for batch in again { try write(batch) }
      try disk.sync(files[files.count - 1].name)
    } catch {
      isOpen = false
      unsynced.removeAll()
      throw error
    }
  }

  /// Tries, after a failure, whether a file can be begun, with room made of what nobody wants now.
  mutating func reopen(_ notes: [(kind: SpoolRecord.Kind, note: SpoolNote)], next: LogRecordNumber)
    throws(Errno)
  {
    unsynced.removeAll()
    for (kind, note) in notes { apply(kind, note) }
    syncedCursors = cursors
    removeUnwanted(all: true)
    nextSequence = max(nextSequence, next)
    try begin(first: nextSequence)
  }

  /// Begins a file, with where every plugin stands at its head.
  private mutating func begin(first: LogRecordNumber) throws(Errno) {
    generation += 1
    let file = SpoolFile(first: first, generation: generation, salt: salt)
    let checkpoint = checkpoint(first)
    do throws(Errno) {
      try disk.create(file.name)
      try disk.append(file.name, checkpoint)
      try disk.sync(file.name)
      try disk.syncFolder()
    } catch {
      isOpen = false
      try? disk.remove(file.name)
      throw error
    }
    files.append(file)
    files.sort { ($0.first, $0.generation) < ($1.first, $1.generation) }
    size = checkpoint.count
    isOpen = true
    removeUnwanted(all: true)
  }

  private func checkpoint(_ first: LogRecordNumber) -> [UInt8] {
    var notes: [UInt8] = []
    var count: UInt32 = 0
    for (name, cursor) in cursors.sorted(by: { $0.key < $1.key }) {
      SpoolNote(cursor.next.value, cursor.number.value, cursor.seconds, name).append(
        to: &notes, salt: salt, kind: .cursor, sequence: first, event: nextEvent)
      count += 1
      for hole in cursor.holes {
        SpoolNote(hole.lowerBound.value, hole.upperBound.value, 0, name).append(
          to: &notes, salt: salt, kind: .hole, sequence: first, event: nextEvent)
        count += 1
      }
    }
    var bytes: [UInt8] = []
    unsafe Array("audispatch spool 1\n".utf8).withUnsafeBytes {
      unsafe SpoolRecord.append(
        to: &bytes, salt: salt, kind: .head, sequence: first, event: nextEvent, type: count,
        text: $0)
    }
    return bytes + notes
  }

  private mutating func removeUnwanted(all: Bool) {
    var index = 0
    // A plugin that is new counts from its first cursor on, safe or not.
    let holders = syncedCursors.merging(cursors) { synced, _ in synced }.values
    while index < (isOpen ? files.count - 1 : files.count) {
      let end = index + 1 < files.count ? files[index + 1].first : nextSequence
      let records = files[index].first..<max(files[index].first, end)
      if holders.contains(where: { !$0.wanted(of: records).isEmpty }) {
        if !all { return }
        index += 1
      } else if (try? disk.remove(files[index].name)) != nil {
        files.remove(at: index)
      } else {
        return
      }
    }
  }

  // MARK: Reading

  /// Reads audit records from a number on, at least one where there is one and some `count` bytes.
  mutating func load(from first: LogRecordNumber, bytes count: Int, place: SpoolPlace? = nil)
    throws(Errno)
    -> SpoolLoaded
  {
    guard first < nextSequence, let index = files.lastIndex(where: { $0.first <= first }) else {
      let gone = files.first.map { min($0.first, nextSequence) } ?? nextSequence
      return SpoolLoaded(through: max(first, gone))
    }
    let file = files[index]
    let limit = index + 1 < files.count ? files[index + 1].first : nextSequence
    var offset = place?.file == file && place?.next == first ? place?.offset ?? 0 : 0
    var loaded = SpoolLoaded(through: first)
    while true {
      let chunk = (max(count, 256 << 10) + 7) / 8 * 8
      do throws(Errno) {
        loaded.bytes = try disk.read(file.name, from: offset, count: chunk)
      } catch {
        // Somebody has removed the file, or put something else there: what was in it is lost.
        guard error == .noSuchFile || error == .invalidArgument else { throw error }
        loaded.bytes = []
      }
      let isWhole = loaded.bytes.count < chunk
      var scan = SpoolScan(salt: file.salt)
      var taken = 0
      while let record = scan.next(loaded.bytes.span) {
        guard record.kind == .data else { continue }
        if record.sequence >= limit { break }
        guard record.sequence >= loaded.through else { continue }
        loaded.records.append(record)
        loaded.through = record.sequence + 1
        taken += record.end - record.text.lowerBound
        if taken >= count || loaded.through == limit { break }
      }
      loaded.place = SpoolPlace(file: file, offset: offset + scan.position, next: loaded.through)
      if !loaded.records.isEmpty, loaded.through < limit, taken >= count || !isWhole {
        return loaded
      }
      if isWhole || loaded.through >= limit {
        loaded.through = limit
        return loaded
      }
      offset += scan.position > 0 ? scan.position : chunk - SpoolRecord.longest
    }
  }
}

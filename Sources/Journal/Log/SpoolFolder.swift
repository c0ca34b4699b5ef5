import Glibc
public import Linux

/// A spool's folder, looked at without its daemon: nothing in it is changed.
public struct SpoolFolder: Sendable {
  public struct File: Equatable, Sendable {
    public var name: String
    public var bytes: Int
    /// The numbers of the audit records that it is there for.
    public var records: Range<LogRecordNumber>
  }

  public struct Plugin: Equatable, Sendable {
    public var name: String
    public var cursor: SpoolCursor
    /// Numbers of the records that it still is to get.
    public var backlog: [Range<LogRecordNumber>]
    /// The dispatcher that used the spool last did not know it.
    public var isGone: Bool

    public var waiting: UInt64 { backlog.reduce(0) { $0 + UInt64($1.count) } }
  }

  public let path: String
  public let files: [File]
  public let plugins: [Plugin]
  /// Names in the folder that are not the spool's.
  public let others: [String]
  /// A daemon uses it now.
  public let isInUse: Bool

  /// Reads the names and what opening the spool would read.
  public init(_ path: String) throws(SystemError) {
    self.path = path
    do throws(Errno) {
      guard try Files.status(of: path).kind == .directory else { throw Errno(ENOTDIR) }
      var log = try SpoolLog(SpoolPeek(path: path), salt: 0)
      var tries = 0
      // A daemon may remove files meanwhile.
      while tries < 5, try !log.disk.has(log.files) {
        log = try SpoolLog(SpoolPeek(path: path), salt: 0)
        tries += 1
      }
      let end = log.nextSequence
      var files: [File] = []
      for (index, file) in log.files.enumerated() {
        let limit = index + 1 < log.files.count ? log.files[index + 1].first : end
        files.append(
          File(
            name: file.name, bytes: try log.disk.size(file.name),
            records: file.first..<max(file.first, limit)))
      }
      self.files = files
      let first = log.files.first?.first ?? end
      plugins = log.cursors.sorted { $0.key < $1.key }.map { name, cursor in
        Plugin(
          name: name, cursor: cursor, backlog: cursor.wanted(of: first..<max(first, end)),
          isGone: cursor.holes.last?.upperBound == .max)
      }
      others = try log.disk.names().filter { $0 != "lock" && SpoolFile(name: $0) == nil }.sorted()
    } catch { throw SystemError("read", "the spool \(path)", error) }
    isInUse = Self.isLocked(path + "/lock")
  }

  private static func isLocked(_ path: String) -> Bool {
    guard let lock = try? Descriptor.open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK) else {
      return false
    }
    return !lock.tryLock()
  }

  /// What stands in one of its files.
  public func items(of file: File) -> SpoolItems { SpoolItems(self, file) }
}

/// What stands at a place of a file of the spool.
public struct SpoolItem: Sendable {
  public enum Kind: Equatable, Sendable {
    /// The text names the format; so many records of a checkpoint follow.
    case head(checkpoint: Int)
    case record
    case cursor(plugin: String, SpoolCursor)
    case hole(plugin: String, Range<LogRecordNumber>)
    /// Its checksum is right, and still it says nothing.
    case nonsense
    /// No record, with records behind it or room for the one that it says it is.
    case damaged
    /// The beginning of a record that was never whole, at the file's end.
    case torn
  }

  public var kind: Kind
  /// Where in the file.
  public var offset: Int
  public var bytes: Int
  /// Of a record its own number; else that of the next one. Likewise for events.
  public var sequence = LogRecordNumber(0)
  public var event = LogEventNumber(0)
  public var type: UInt32 = 0
  public var text: [UInt8] = []
  /// Who sent it, where that was another host: its address, and behind a space its name over TLS.
  public var sender: [UInt8] = []
  /// `false` for an audit record that a later file has again.
  public var counts = true
}

/// Goes through a file of the spool, with a part of it in memory.
public struct SpoolItems {
  private var disk: SpoolPeek
  private let file: SpoolFolder.File
  private var walk: SpoolWalk
  private var pending: SpoolItem?
  private var hasEnded = false

  fileprivate init(_ folder: SpoolFolder, _ file: SpoolFolder.File) {
    disk = SpoolPeek(path: folder.path)
    self.file = file
    let parsed =
      SpoolFile(name: file.name) ?? SpoolFile(first: LogRecordNumber(0), generation: 0, salt: 0)
    walk = SpoolWalk(parsed, chunk: 1 << 20)
  }

  /// The next one; `nil` at the end of the file.
  public mutating func next() throws(Errno) -> SpoolItem? {
    if let pending {
      self.pending = nil
      return pending
    }
    guard !hasEnded else { return nil }
    let before = walk.position
    guard let record = try walk.next(&disk) else {
      hasEnded = true
      return try tail(from: before)
    }
    let item = item(record)
    guard item.offset > before else { return item }
    pending = item
    return SpoolItem(kind: .damaged, offset: before, bytes: item.offset - before)
  }

  private func item(_ record: SpoolRecord) -> SpoolItem {
    let start = walk.base + record.start
    var item = SpoolItem(
      kind: .nonsense, offset: start, bytes: record.end - record.start,
      sequence: record.sequence, event: record.event, type: record.type)
    let note = SpoolNote(walk.bytes.span, record.text)
    switch (record.kind, note) {
    case (.head, _): item.kind = .head(checkpoint: Int(record.type))
    case (.data, _):
      item.kind = .record
      item.counts = file.records.contains(record.sequence)
    case (.cursor, let note?):
      item.kind = .cursor(plugin: note.name, note.cursor)
    case (.hole, let note?):
      if let hole = note.hole, !hole.isEmpty { item.kind = .hole(plugin: note.name, hole) }
    default: break
    }
    if item.kind == .record || record.kind == .head {
      item.text = Array(walk.bytes[record.text])
    }
    if item.kind == .record, record.flags & SpoolRecord.isSent != 0 {
      item.sender = Array(walk.bytes[record.payload])
    }
    return item
  }

  /// A crash cuts a record anywhere; a whole one that does not fit its checksum was there.
  private mutating func tail(from offset: Int) throws(Errno) -> SpoolItem? {
    let size = walk.size
    guard size > offset else { return nil }
    let header = try disk.read(file.name, from: offset, count: SpoolRecord.headerSize)
    var isTorn = true
    if header.count == SpoolRecord.headerSize, header.contains(where: { $0 != 0 }) {
      let length = 32 + Int(header[4]) + Int(header[5]) << 8 + Int(header[6]) + Int(header[7]) << 8
      isTorn = length > size - offset
    }
    return SpoolItem(
      kind: isTorn ? .torn : .damaged, offset: offset, bytes: size - offset)
  }
}

/// A folder that is read only.
struct SpoolPeek: SpoolDisk, Sendable {
  let path: String

  func names() throws(Errno) -> [String] { try Files.names(in: path) }

  func create(_ name: String) throws(Errno) { throw Errno(EROFS) }
  func append(_ name: String, _ bytes: [UInt8]) throws(Errno) { throw Errno(EROFS) }
  func sync(_ name: String) throws(Errno) { throw Errno(EROFS) }
  func syncFolder() throws(Errno) { throw Errno(EROFS) }
  func remove(_ name: String) throws(Errno) { throw Errno(EROFS) }

  func read(_ name: String, from: Int, count: Int) throws(Errno) -> [UInt8] {
    do throws(Errno) {
      return try FolderDisk.read("\(path)/\(name)", from: from, count: count)
    } catch {
      // A daemon may have removed it since its name was read.
      if error.number == ENOENT { return [] }
      throw error
    }
  }

  func size(_ name: String) throws(Errno) -> Int { try FolderDisk.size("\(path)/\(name)") }

  func has(_ files: [SpoolFile]) throws(Errno) -> Bool {
    Set(try names()).isSuperset(of: files.map(\.name))
  }
}

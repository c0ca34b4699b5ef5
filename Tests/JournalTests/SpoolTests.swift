import Glibc
import Linux
import Testing

@testable import Journal

/// The log with its thread, in a folder.
@Suite("A spool")
struct SpoolTests {
  private func withFolder(_ body: (String) throws -> Void) throws {
    var template = Array("/tmp/audispatch-spool-XXXXXX\0".utf8).map { CChar(bitPattern: $0) }
    let made = unsafe template.withUnsafeMutableBufferPointer { unsafe mkdtemp($0.baseAddress!) }
    try #require(unsafe made != nil)
    let folder = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    defer {
      for name in (try? Files.names(in: folder)) ?? [] { unsafe unlink("\(folder)/\(name)") }
      unsafe rmdir(folder)
    }
    try body(folder)
  }

  /// The answers until one is as wanted; all there are after a minute.
  private func answers(
    _ spool: Spool, until isWanted: (Spool.Answer) -> Bool
  ) -> [Spool.Answer] {
    var all: [Spool.Answer] = []
    let latest = Moment.now + .seconds(60)
    while Moment.now < latest, !all.contains(where: isWanted) {
      _ = Poll.readable([spool.descriptor], within: .seconds(1))
      all += spool.answers()
    }
    return all
  }

  @Test func `is nobody's before it may be opened`() throws {
    try withFolder { folder in
      let waiting = try Spool(folder: folder, reserve: 0, mayOpen: false)
      let other = try Spool(folder: folder, reserve: 0)
      let isOpen: (Spool.Answer) -> Bool = { if case .opened = $0 { true } else { false } }
      #expect(answers(other, until: isOpen).contains(where: isOpen))
      #expect(other.close(within: .seconds(60)))
      #expect(waiting.answers().isEmpty)
      waiting.allowOpening()
      waiting.allowOpening()
      #expect(answers(waiting, until: isOpen).contains(where: isOpen))
      #expect(waiting.close(within: .seconds(60)))
      let unused = try Spool(folder: folder, reserve: 0, mayOpen: false)
      #expect(unused.close(within: .seconds(60)))
    }
  }

  /// Whether the log refuses a folder below one of that owner and mode.
  private func refuses(_ owner: (uid_t, gid_t)? = nil, mode: mode_t) throws -> Bool {
    var isRefused = false
    try withFolder { folder in
      let parent = folder + "/parent"
      defer {
        unsafe rmdir(parent + "/spool")
        unsafe rmdir(parent)
      }
      try Files.makeFolder(parent, mode: mode)
      if let (user, group) = owner { try #require(unsafe chown(parent, user, group) == 0) }
      do throws(SystemError) {
        _ = try FolderDisk(parent + "/spool", reserve: 0)
      } catch { isRefused = "\(error)".contains(parent) }
    }
    return isRefused
  }

  @Test func `is not put where others could replace its folder`() throws {
    #expect(try !refuses(mode: 0o755))
    #expect(try !refuses(mode: 0o1777))
    #expect(try refuses(mode: 0o757))
    #expect(try refuses(mode: 0o777))
  }

  @Test(.enabled(if: getuid() == 0, "needs root"))
  func `is not put into a folder of others`() throws {
    #expect(try refuses((0, 12345), mode: 0o775))
    #expect(try !refuses((0, 12345), mode: 0o755))
    #expect(try refuses((12345, 0), mode: 0o755))
  }

  /// The event loop takes a disk that is slow for one that fails; the thread may not have failed.
  @Test func `recovers from a failure that it did not have`() throws {
    try withFolder { folder in
      let spool = try Spool(folder: folder, reserve: 0)
      let opened = answers(spool) { if case .opened = $0 { true } else { false } }
      guard case .opened(let state)? = opened.last else {
        Issue.record("\(opened)")
        return
      }
      spool.begin(state, next: RecordNumber(100), nextEvent: EventNumber(100))
      spool.setCursor("p", next: RecordNumber(100), number: StreamNumber(1))
      spool.commit(makesSafe: true)
      spool.setCursor("q", next: RecordNumber(100), number: StreamNumber(1))
      spool.retry(next: RecordNumber(105))
      let later = answers(spool) { if case .recovered = $0 { true } else { false } }
      let hasRecovered = later.contains { if case .recovered = $0 { true } else { false } }
      #expect(hasRecovered)
      #expect(spool.close(within: .seconds(60)))
      let left = try SpoolFolder(folder)
      #expect(left.plugins.map(\.name) == ["p", "q"])
      #expect(left.files.last?.records == 5..<5)
    }
  }

  /// So that whoever tries again knows when it may.
  @Test func `answers each try that fails`() throws {
    try withFolder { folder in
      let spool = try Spool(folder: folder, reserve: .max / 2)
      let opened = answers(spool) { if case .opened = $0 { true } else { false } }
      guard case .opened(let state)? = opened.last else {
        Issue.record("\(opened)")
        return
      }
      spool.begin(state, next: RecordNumber(100), nextEvent: EventNumber(100))
      let hasFailed: (Spool.Answer) -> Bool = { if case .failed = $0 { true } else { false } }
      for _ in 0..<3 {
        spool.retry(next: RecordNumber(100))
        #expect(answers(spool, until: hasFailed).contains(where: hasFailed))
      }
      #expect(spool.close(within: .seconds(60)))
    }
  }

  @Test func `has the file beside it as it was written, in front of what it has itself`() throws {
    try withFolder { folder in
      func open(_ isRead: Bool, _ body: (Spool, Spool.Opened) -> Void) throws {
        let spool = try Spool(
          folder: folder, reserve: 0,
          beside: SideFile(name: "beside", blockBytes: 8, blocks: 4, isRead: isRead))
        let opened = answers(spool) { if case .opened = $0 { true } else { false } }
        guard case .opened(let state)? = opened.last else {
          Issue.record("\(opened)")
          return
        }
        spool.begin(state, next: RecordNumber(100), nextEvent: EventNumber(100))
        body(spool, state)
        #expect(spool.close(within: .seconds(60)))
      }
      func write(_ spool: Spool, _ place: Int, _ text: String) {
        unsafe Array(text.utf8).withUnsafeBytes { unsafe spool.writeBeside(at: place, $0) }
      }
      try open(true) { spool, state in
        #expect(state.beside.isEmpty)
        write(spool, 8, "ABCDEFGH")
        write(spool, 16, "\0\0cdefgh")
        write(spool, 10, "xy")
        spool.commit(makesSafe: false)
        write(spool, 24, "last")
        // It is kept over a time in which the log takes nothing.
        spool.retry(next: RecordNumber(105))
        spool.commit(makesSafe: true)
      }
      try open(false) { _, state in #expect(state.beside.isEmpty) }
      try open(true) { _, state in
        #expect(state.beside.map(\.index) == [1, 3])
        #expect(
          state.beside.map(\.bytes)
            == [Array("ABxyEFGH".utf8), Array("last\0\0\0\0".utf8)])
      }
      // What stands in its place is left alone, and the log goes on.
      unsafe unlink(folder + "/beside")
      unsafe mkdir(folder + "/beside", 0o700)
      defer { unsafe rmdir(folder + "/beside") }
      try open(false) { spool, _ in
        write(spool, 0, "AB")
        spool.setCursor("p", next: RecordNumber(100), number: StreamNumber(1))
        spool.commit(makesSafe: true)
        let later = answers(spool) { if case .safe = $0 { true } else { false } }
        let isSaid = later.contains { if case .besideFailed = $0 { true } else { false } }
        let isSafe = later.contains { if case .safe = $0 { true } else { false } }
        #expect(isSafe)
        #expect(isSaid || answers(spool) { _ in true }.count > 0)
      }
    }
  }

  @Test func `is never synced less far than it was`() {
    let log = LogKnowledge()
    log.wentOn(from: RecordNumber(10))
    log.synced(below: RecordNumber(8))
    #expect(log.syncedBelow == RecordNumber(10))
    log.synced(below: RecordNumber(12))
    #expect(log.syncedBelow == RecordNumber(12))
  }

  /// - Parameter waits: all come before any is appended, as while the log is being opened.
  @Test(arguments: [false, true])
  func `keeps with a record who sent it, which no plugin gets`(waits: Bool) throws {
    try withFolder { folder in
      let spool = try Spool(folder: folder, reserve: 0)
      let opened = answers(spool) { if case .opened = $0 { true } else { false } }
      guard case .opened(let state)? = opened.last else {
        Issue.record("\(opened)")
        return
      }
      let journal = Journal()
      spool.begin(state, next: journal.nextRecord, nextEvent: journal.nextEvent)
      spool.setCursor("p", next: journal.nextRecord, number: StreamNumber(1))
      let senders = ["", "192.0.2.1", "192.0.2.1", "2001:db8::1 web 1", "", ""]
      let lines = senders.indices.map { "type=A msg=audit(1700000000.001:\($0)): x=\($0)" }
      var waiting: [Journal.Batch] = []
      for batch in [0..<1, 1..<4, 4..<6] {
        journal.beginBatch()
        for place in batch {
          if !senders[place].isEmpty {
            spool.note(sender: Array(senders[place].utf8), of: journal.nextRecord)
          }
          journal.appendLine(lines[place])
        }
        waiting.append(journal.batch)
        if waits, batch.upperBound < lines.count { continue }
        for batch in waiting {
          for slice in batch.slices { spool.append(slice, nextEvent: batch.nextEvent) }
        }
        waiting = []
      }
      spool.commit(makesSafe: true)
      spool.load(7, from: RecordNumber(0), bytes: 1 << 20)
      let loaded = answers(spool) { if case .loaded = $0 { true } else { false } }
      // What is safe by then may be said behind it.
      let last = loaded.last { if case .loaded = $0 { true } else { false } }
      guard case .loaded(7, let records)? = last else {
        Issue.record("\(loaded)")
        return
      }
      let restored = journal.restore(records, from: spool).flatMap { segment in
        (0..<segment.count).map { index in
          let entry = segment[index]
          #expect(!entry.hasPayload)
          return unsafe segment.withBytes(entry.offset..<entry.end) {
            unsafe String(decoding: $0, as: UTF8.self)
          }
        }
      }
      #expect(restored == lines.map { $0 + "\n" })
      #expect(spool.close(within: .seconds(60)))

      let left = try SpoolFolder(folder)
      var kept: [String] = []
      for file in left.files {
        var items = left.items(of: file)
        while let item = try items.next() {
          if item.kind == .record { kept.append(String(decoding: item.sender, as: UTF8.self)) }
        }
      }
      #expect(kept == senders)
    }
  }

  /// A folder where a file should be can be opened, and has no end.
  @Test func `is unusable, and no more, when a file of it is none`() throws {
    try withFolder { folder in
      let name = SpoolFile(first: 0, generation: 1, salt: 7).name
      unsafe mkdir("\(folder)/\(name)", 0o700)
      defer { unsafe rmdir("\(folder)/\(name)") }
      let spool = try Spool(folder: folder, reserve: 0)
      let isUnusable = answers(spool) { if case .unusable = $0 { true } else { false } }
      guard case .unusable(let text)? = isUnusable.last else {
        Issue.record("\(isUnusable)")
        return
      }
      #expect(text == "cannot open the spool \(folder): Invalid argument")
      #expect(spool.close(within: .seconds(60)))
    }
  }
}

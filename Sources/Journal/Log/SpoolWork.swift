import Glibc
import Linux
import Synchronization

/// What the spool's thread does: the requests of the event loop, one after the other.
final class SpoolWork: ThreadWork {
  enum Request: Sendable {
    case append(SpoolBatch, makesSafe: Bool)
    case sync
    case load(plugin: PluginID, from: LogRecordNumber, bytes: Int)
    case retry([(kind: SpoolRecord.Kind, note: SpoolNote)], next: LogRecordNumber)
    case end
  }

  private struct Shared {
    var requests: [Request] = []
    var answers: [Spool.Answer] = []
    var pendingBytes = 0
    var appendedBelow = LogRecordNumber(0)
    var mayOpen: Bool
    var hasEnded = false
  }

  let answersReady: Bell
  private let requestsReady: Bell
  private let shared: Mutex<Shared>
  private let folder: String
  private let reserve: Int64
  private let beside: SideFile?

  init(folder: String, reserve: Int64, mayOpen: Bool, beside: SideFile?) throws(SystemError) {
    self.folder = folder
    self.reserve = reserve
    self.beside = beside
    shared = Mutex(Shared(mayOpen: mayOpen))
    answersReady = try Bell()
    requestsReady = try Bell(waits: true)
  }

  // MARK: The event loop's side

  var pendingBytes: Int { shared.withLock { $0.pendingBytes } }
  var appendedBelow: LogRecordNumber { shared.withLock { $0.appendedBelow } }
  var hasEnded: Bool { shared.withLock { $0.hasEnded } }

  func allowOpening() {
    let isNews = shared.withLock { shared in
      defer { shared.mayOpen = true }
      return !shared.mayOpen
    }
    if isNews { requestsReady.ring() }
  }

  func submit(_ request: Request) {
    shared.withLock {
      $0.requests.append(request)
      if case .append(let batch, _) = request { $0.pendingBytes += batch.byteCount }
    }
    requestsReady.ring()
  }

  func takeAnswers() -> [Spool.Answer] {
    answersReady.clear()
    return shared.withLock { shared in
      defer { shared.answers = [] }
      return shared.answers
    }
  }

  // MARK: The thread's side

  private func answer(_ answer: Spool.Answer) {
    shared.withLock { $0.answers.append(answer) }
    answersReady.ring()
  }

  private func takeRequests() -> [Request] {
    requestsReady.clear()
    return shared.withLock { shared in
      defer { shared.requests = [] }
      return shared.requests
    }
  }

  func run() {
    defer { shared.withLock { $0.hasEnded = true } }
    while !shared.withLock({ $0.mayOpen }) {
      requestsReady.clear()
      if isToEnd { return }
    }
    // What came meanwhile is still to be seen.
    requestsReady.ring()
    do throws(SystemError) {
      _ = try FolderDisk(folder, reserve: reserve)
      let lock = try Descriptor.open(folder + "/lock", O_RDWR | O_CREAT | O_NOFOLLOW, mode: 0o600)
      // A predecessor may still be stopping.
      while !lock.tryLock() {
        Pause.nanoseconds(20_000_000)
        if isToEnd { return }
      }
      let salt = UInt32.random(in: .min ... .max)
      let began = Moment.now
      var log = try open(salt)
      let blocks = openBeside(&log.disk)
      answer(
        .opened(
          Spool.Opened(
            nextSequence: log.nextSequence, nextEvent: log.nextEvent, cursors: log.cursors,
            damaged: log.damaged, averageBytes: log.averageBytes,
            beside: blocks, microseconds: (Moment.now.nanoseconds - began.nanoseconds) / 1000,
            salt: salt)))
      serve(&log)
      _ = consume lock
    } catch {
      let reason = WriteAccess.reason(error.cause, for: folder).map { ": \($0)" } ?? ""
      answer(.unusable("\(error)\(reason)"))
    }
  }

  /// What fails once may not fail again; the plugins are not started yet.
  private func open(_ salt: UInt32) throws(SystemError) -> SpoolLog<FolderDisk> {
    var tries = 1
    while true {
      do throws(Errno) {
        let disk: FolderDisk
        do throws(SystemError) {
          disk = try FolderDisk(folder, reserve: reserve)
        } catch { throw error.cause }
        return try SpoolLog(disk, salt: salt)
      } catch {
        guard tries < 5, !isToEnd else { throw SystemError("open", "the spool \(folder)", error) }
        Pause.nanoseconds(50_000_000)
        tries += 1
      }
    }
  }

  /// What stands in the file beside the log.
  private func openBeside(_ disk: inout FolderDisk) -> [SideBlock] {
    guard let beside else { return [] }
    disk.beside = SideDisk(beside, in: folder)
    do throws(SystemError) {
      return try disk.beside?.read() ?? []
    } catch {
      answer(.besideFailed(error))
      return []
    }
  }

  private var isToEnd: Bool {
    shared.withLock { shared in
      shared.requests.contains { if case .end = $0 { true } else { false } }
    }
  }

  private func serve(_ log: inout SpoolLog<FolderDisk>) {
    var hasFailed = false
    var places: [PluginID: SpoolPlace] = [:]
    func fail(_ errno: Errno) {
      if !hasFailed { answer(.failed(errno)) }
      hasFailed = true
    }
    while true {
      var isUnsafe = false
      var ends = false
      // All that came while the last sync ran is made safe by the next one.
      for request in takeRequests() {
        do throws(Errno) {
          switch request {
          case .append(let batch, let makesSafe):
            shared.withLock { $0.pendingBytes -= batch.byteCount }
            log.disk.beside?.add(batch.beside)
            if hasFailed { continue }
            // An entry without its record is known for one, a record without its entry is not.
            log.disk.beside?.write()
            if !batch.bytes.isEmpty { try log.append(batch) }
            let next = log.nextSequence
            shared.withLock { $0.appendedBelow = next }
            isUnsafe = isUnsafe || makesSafe
          case .sync: isUnsafe = true
          case .load(let plugin, let first, let bytes):
            let loaded = try log.load(from: first, bytes: bytes, place: places[plugin])
            places[plugin] = loaded.place
            answer(.loaded(plugin: plugin, LoadedRecords(loaded: loaded)))
          case .retry(let notes, let next):
            // It may have been slow only.
            if !hasFailed { try log.sync() }
            try log.reopen(notes, next: next)
            hasFailed = false
            answer(.recovered)
          case .end:
            isUnsafe = true
            ends = true
          }
        } catch {
          if case .load(let plugin, let first, _) = request {
            // What cannot be read now is asked for again; what comes can be appended all the same.
            answer(.loaded(plugin: plugin, LoadedRecords(loaded: SpoolLoaded(through: first))))
          } else if case .retry = request {
            hasFailed = true
            answer(.failed(error))
          } else {
            fail(error)
          }
        }
      }
      if isUnsafe, !hasFailed {
        do throws(Errno) {
          try log.sync()
          answer(.safe(below: log.nextSequence))
        } catch { fail(error) }
      }
      if let trouble = log.disk.beside?.takeTrouble() { answer(.besideFailed(trouble)) }
      if ends { return }
    }
  }
}

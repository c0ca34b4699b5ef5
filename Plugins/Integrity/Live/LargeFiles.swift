import Linux
import Synchronization

/// Reads large files on a thread of its own, one after the other: the stream does not wait for them.
final class LargeFiles: ThreadWork {
  /// What it takes to read so much is less than a turn.
  static let least: UInt64 = 8 << 20

  private struct Work {
    var wanted: [(path: FilePath, attributes: AttributeSet)] = []
    var isRunning = false
    var read: [(path: FilePath, state: FileState?)] = []
  }

  private let largest: UInt64
  private let bell: @Sendable () -> Void
  private let work = Mutex(Work())

  init(largest: UInt64, bell: @escaping @Sendable () -> Void) {
    self.largest = largest
    self.bell = bell
  }

  func want(_ path: FilePath, _ attributes: AttributeSet) throws(SystemError) {
    let starts = work.withLock { work in
      work.wanted.append((path, attributes))
      defer { work.isRunning = true }
      return !work.isRunning
    }
    guard starts else { return }
    // Whoever asked is told that it is not read here.
    try begin {
      work.withLock { work in
        work.wanted = []
        work.isRunning = false
      }
    }
  }

  /// What was read since the last time; no state for what was gone, or could not be read.
  func take() -> [(path: FilePath, state: FileState?)] {
    work.withLock { work in
      defer { work.read = [] }
      return work.read
    }
  }

  func run() {
    var reader = StateReader(largest: largest)
    while true {
      let next = work.withLock { work in
        if work.wanted.isEmpty { work.isRunning = false }
        return work.wanted.isEmpty ? nil : work.wanted.removeFirst()
      }
      guard let (path, attributes) = next else { return }
      let state = (try? Folder(path.folder.bytes)).flatMap {
        try? reader.state(of: path.name, in: $0, attributes)
      }
      work.withLock { $0.read.append((path, state)) }
      bell()
    }
  }
}

/// Which large files are being read, and what has been: a value.
struct ReadAside {
  private var beingRead: [FilePath: Settling.Entry] = [:]
  /// What happened to one while it was read: it is looked at again.
  private var again: [FilePath: Settling.Entry] = [:]
  private var states: [FilePath: FileState] = [:]

  var count: Int { beingRead.count }

  /// Whether reading is to begin.
  mutating func begin(_ path: FilePath, _ entry: Settling.Entry) -> Bool {
    if beingRead[path] != nil {
      again[path] = entry
      return false
    }
    beingRead[path] = entry
    return true
  }

  /// It could not begin.
  mutating func cancel(_ path: FilePath) { beingRead[path] = nil }

  /// The entry that waited for it.
  mutating func end(_ path: FilePath, _ state: FileState?) -> Settling.Entry? {
    states[path] = state
    return beingRead.removeValue(forKey: path)
  }

  /// The state that was read, once.
  mutating func takeState(of path: FilePath) -> FileState? { states.removeValue(forKey: path) }

  /// It is not told yet: the state is kept for the next time.
  mutating func putBack(_ state: FileState?, of path: FilePath) { states[path] = state }

  /// Something has happened to one since it was read: its state is told, and it is looked at again.
  /// One that is never at rest would not be told at all if it were read again first.
  mutating func lookAgain(_ path: FilePath, _ entry: Settling.Entry, at now: Duration) {
    if again[path] == nil { again[path] = Settling.Entry(first: now, due: now) }
    again[path]?.witnesses.formUnion(entry.witnesses)
  }

  /// What is to be looked at again now that its state is told.
  mutating func takeAgain(_ path: FilePath) -> Settling.Entry? { again.removeValue(forKey: path) }
}

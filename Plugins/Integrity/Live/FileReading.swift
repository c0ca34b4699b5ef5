import AudispatchPlugin
import Glibc
import Linux

/// Files at which something happened, until they are at rest and read; what is large is read on a thread
/// of its own.
///
/// Its deadline is when the next one is due.
struct FileReading {
  private var settling = Settling(settleTime: IntegrityPlugin.settleTime)
  private var reader: StateReader
  private var large: LargeFiles
  private var aside = ReadAside()
  private let bell: @Sendable () -> Void
  private var largest: UInt64

  init(_ options: IntegrityOptions, bell: @escaping @Sendable () -> Void) {
    largest = UInt64(options.largestFile)
    reader = StateReader(largest: largest)
    large = LargeFiles(largest: largest, bell: bell)
    self.bell = bell
  }

  mutating func reload(_ options: IntegrityOptions) {
    largest = UInt64(options.largestFile)
    reader = StateReader(largest: largest)
    large = LargeFiles(largest: largest, bell: bell)
    aside = ReadAside()
  }

  var deadline: Duration? { settling.nextDue }
  var count: Int { settling.count }

  // MARK: At rest

  mutating func note(_ path: FilePath, by witness: Witness?, isFound: Bool) {
    settling.note(path, by: witness, isFound: isFound, at: MonotonicTime.now)
  }

  /// Takes the next one that is due.
  mutating func next(at now: Duration) -> (path: FilePath, entry: Settling.Entry)? {
    settling.next(at: now)
  }

  /// It is looked at again after the settle time.
  ///
  /// - Parameter state: what was read of it aside.
  mutating func wait(_ path: FilePath, _ entry: Settling.Entry, keeping state: FileState?) {
    aside.putBack(state, of: path)
    settling.wait(path, entry, until: MonotonicTime.now + IntegrityPlugin.settleTime)
  }

  /// Its state is told, or is as it was: what happened to it while it was read is looked at now.
  mutating func lookAgain(_ path: FilePath) {
    if let again = aside.takeAgain(path) {
      settling.wait(path, again, until: MonotonicTime.now + IntegrityPlugin.settleTime)
    }
  }

  // MARK: Reading

  enum Found {
    case state(FileState?)
    /// It is read on another thread: the path comes again when that is done.
    case later
    /// It cannot be read.
    case nothing(Errno)
  }

  /// What was read of a path aside, and whether it is still so.
  mutating func takeAside(
    _ path: FilePath, _ entry: Settling.Entry, in folder: Folder?
  ) -> (state: FileState, isCurrent: Bool)? {
    guard let state = aside.takeState(of: path) else { return nil }
    let facts = try? folder?.facts(of: path.name)
    let isCurrent = facts.map(state.isOf) == true
    if !isCurrent { aside.lookAgain(path, entry, at: MonotonicTime.now) }
    return (state, isCurrent)
  }

  /// - Parameter mayWait: whether it can be read aside.
  mutating func state(
    of path: FilePath, in folder: Folder, _ attributes: AttributeSet, _ entry: Settling.Entry,
    mayWait: Bool
  ) -> Found {
    do throws(Errno) {
      if mayWait, try isReadAside(path, in: folder, attributes, entry) { return .later }
      return .state(try reader.state(of: path.name, in: folder, attributes))
    } catch {
      return error == .noSuchFile || error.number == ENOTDIR ? .state(nil) : .nothing(error)
    }
  }

  private mutating func isReadAside(
    _ path: FilePath, in folder: Folder, _ attributes: AttributeSet, _ entry: Settling.Entry
  ) throws(Errno) -> Bool {
    guard !attributes.isDisjoint(with: .hashes) else { return false }
    let facts = try folder.facts(of: path.name)
    guard facts.kind == .regular, facts.size >= LargeFiles.least, facts.size <= largest else {
      return false
    }
    guard aside.begin(path, entry) else { return true }
    do throws(SystemError) { try large.want(path, attributes) } catch {
      aside.cancel(path)
      return false
    }
    return true
  }

  /// Goes on with files whose content has been read.
  mutating func takeLarge(at now: Duration) {
    for (path, state) in large.take() {
      if let entry = aside.end(path, state) { settling.wait(path, entry, until: now) }
    }
  }

  var figures: [(name: String, value: Int)] {
    [("settling", settling.count), ("reading", aside.count)]
  }
}

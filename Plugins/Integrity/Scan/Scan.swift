import Glibc
import Linux
import Synchronization

/// Walks folders and reads the state of what a policy watches in them, on several threads.
///
/// No link is followed and no path resolved but those of the roots: every folder is opened in the
/// one it is in, so that depth has no limit but the number of descriptors. Memory is bounded by
/// the largest folder's names and by the parts that wait.
final class Scan: Sendable {
  struct Settings: Sendable {
    var workers = 1
    /// Bytes and files a second; 0: no limit.
    var byteRate = 0
    var fileRate = 0
    var largestFile = UInt64.max
  }

  enum Work: Sendable {
    case folder(FilePath, in: Folder?, device: UInt64?)
    case part(ScannedPart, names: [Name], device: UInt64)
  }

  struct Name: Sendable {
    let name: FileName
    let decision: Policy.Decision
  }

  /// Entries in one part.
  static let partSize = 256

  let policy: Policy
  let settings: Settings
  /// Folders that need no reading, since an interrupted scan had done so: their entries that are
  /// folders.
  let known: @Sendable (FilePath) -> [FilePath]?
  private let queue: ScanQueue<Work, ScanEvent>
  private let mounts: ScanMounts
  private let bytes: Mutex<Throttle>
  private let files: Mutex<Throttle>

  init(
    _ policy: Policy, _ settings: Settings, by reach: ScanReach = ScanReach(),
    known: @escaping @Sendable (FilePath) -> [FilePath]? = { _ in nil }
  ) {
    self.policy = policy
    self.settings = settings
    self.known = known
    mounts = ScanMounts(by: reach)
    queue = ScanQueue(threads: settings.workers, bound: 64)
    bytes = Mutex(Throttle(rate: settings.byteRate, now: .now))
    files = Mutex(Throttle(rate: settings.fileRate, now: .now))
  }

  /// Scans the roots; each event is given to `consume` on the calling thread. Blocks until all is
  /// done, or `consume` returns false.
  func run(_ roots: [FilePath], consume: (ScanEvent) throws -> Bool) throws {
    queue.push(roots.reversed().map { .folder($0, in: nil, device: nil) })
    if roots.isEmpty { return }
    for _ in 0..<settings.workers {
      try WorkThread(Worker(scan: self)).detach()
    }
    defer { queue.stop() }
    while let event = queue.event() {
      guard try consume(event) else { return }
    }
  }

  private final class Worker: ThreadWork {
    let scan: Scan
    init(scan: Scan) { self.scan = scan }

    func run() {
      var reader = StateReader(largest: scan.settings.largestFile)
      while let work = scan.queue.next() {
        switch work {
        case .folder(let path, let parent, let device): scan.open(path, in: parent, device, &reader)
        case .part(let part, let names, let device): scan.read(part, names, device, &reader)
        }
        scan.queue.finish()
      }
    }
  }

  // MARK: On the threads

  /// Opens a folder, or the folder of a root, and shares out its entries.
  private func open(
    _ path: FilePath, in parent: Folder?, _ device: UInt64?, _ reader: inout StateReader
  ) {
    do throws(Errno) {
      guard let parent else { return try openRoot(path, &reader) }
      let folder = try Folder(path.name, in: parent)
      let facts = try folder.facts()
      if facts.device != device, isLeftOut(path, try folder.fileSystem()) { return }
      if let folders = known(path) {
        queue.push(folders.map { .folder($0, in: folder, device: facts.device) })
        return
      }
      let names = try folder.entries().map(\.name).sorted()
      let same = policy.sameForAll(in: path)
      share(
        path, folder, facts.device,
        names.compactMap { name in
          let decision = same ?? policy.decision(for: path.appending(name))
          return decision.rule == nil && !decision.leadsOn
            ? nil : Name(name: name, decision: decision)
        }, &reader)
    } catch { report(path, error) }
  }

  /// A root is an entry of the folder that it is in; nothing else there is looked at.
  private func openRoot(_ path: FilePath, _ reader: inout StateReader) throws(Errno) {
    if let silent = mounts.silent(above: path) {
      return queue.emit(.problem(ScanProblem(path: path, silent: silent)))
    }
    let folder = try Folder(path.folder.bytes)
    let facts = try folder.facts()
    let name = path.name
    if path.isRoot {
      let all = try folder.entries().map(\.name).sorted()
      let names = all.map { Name(name: $0, decision: policy.decision(for: path.appending($0))) }
      return share(path, folder, facts.device, names, &reader)
    }
    var part = ScannedPart(path: path.folder, folder: folder)
    // Only this name: what stands before and behind it is not of this root.
    part.after = name
    part.upTo = name
    part.parts = 0
    read(part, [Name(name: name, decision: policy.decision(for: path))], facts.device, &reader)
  }

  private func share(
    _ path: FilePath, _ folder: Folder, _ device: UInt64, _ names: [Name],
    _ reader: inout StateReader
  ) {
    var parts: [(ScannedPart, [Name])] = []
    let count = max(1, (names.count + Self.partSize - 1) / Self.partSize)
    for index in 0..<count {
      let own = names[(index * Self.partSize)..<min(names.count, (index + 1) * Self.partSize)]
      var part = ScannedPart(path: path, folder: folder)
      part.parts = count
      part.after = index == 0 ? nil : names[index * Self.partSize - 1].name
      part.upTo = index == count - 1 ? nil : own.last?.name
      parts.append((part, Array(own)))
    }
    queue.push(parts.dropFirst().reversed().map { .part($0.0, names: $0.1, device: device) })
    read(parts[0].0, parts[0].1, device, &reader)
  }

  private func read(
    _ part: ScannedPart, _ names: [Name], _ device: UInt64, _ reader: inout StateReader
  ) {
    var part = part
    var folders: [Work] = []
    let hasMounts = mounts.areIn(part.path)
    for name in names {
      wait(files, 1)
      if hasMounts, mounts.isSilent(part.path.appending(name.name)) {
        let path = part.path.appending(name.name)
        queue.emit(.problem(ScanProblem(path: path, silent: path)))
        continue
      }
      let watched = name.decision.rule.flatMap { policy.watched(by: $0) }
      do throws(Errno) {
        let state = try reader.state(of: name.name, in: part.folder, watched?.attributes ?? []) {
          wait(bytes, $0)
        }
        if state.facts.kind == .directory, name.decision.leadsOn {
          folders.append(
            .folder(part.path.appending(name.name), in: part.folder, device: device))
          part.folders.append(name.name)
        }
        if watched != nil, let rule = name.decision.rule {
          // What is known of it is compared; that something is not known must not pass silently.
          for reason in state.unread {
            let path = part.path.appending(name.name)
            queue.emit(.problem(ScanProblem(path: path, reason: reason, hidesContent: false)))
          }
          part.entries.append(.init(name: name.name, state: state, rule: rule))
        }
      } catch {
        // What vanishes while a scan runs is not there; all else is unknown.
        if error != .noSuchFile { report(part.path.appending(name.name), error) }
      }
    }
    queue.push(folders.reversed())
    queue.emit(.part(part))
  }

  private func report(_ path: FilePath, _ error: Errno) {
    queue.emit(
      error == .noSuchFile || error.number == ENOTDIR
        ? .missing(path) : .problem(ScanProblem(path: path, reason: "\(error)")))
  }

  private func isLeftOut(_ path: FilePath, _ magic: Int64) -> Bool {
    // statfs has the number in 32 bits, with a sign on some machines.
    let magic = magic & 0xffff_ffff
    if let name = FileSystemKind.madeUp[magic] {
      queue.emit(
        .problem(
          ScanProblem(path: path, reason: "a \(name) file system is not scanned", isExpected: true)
        ))
      return true
    }
    if let name = FileSystemKind.remote[magic] {
      queue.emit(
        .problem(
          ScanProblem(
            path: path, reason: "\(name): what other hosts change there is found by scans alone",
            isExpected: true, hidesContent: false)))
    }
    return false
  }

  private func wait(_ throttle: borrowing Mutex<Throttle>, _ amount: Int) {
    let pause = throttle.withLock { $0.take(amount, at: .now) }
    if pause > .zero { Pause.nanoseconds(pause.inNanoseconds) }
  }
}

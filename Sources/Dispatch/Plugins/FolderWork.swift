import Glibc
import Keeper
import Linux
import Synchronization

/// What is done in the runtime folder, in order, by a thread of its own: while its disk hangs plugins
/// are not started, and everything else goes on.
final class FolderWork: ThreadWork {
  enum Request: Sendable {
    case claim
    /// With a number that is answered when it is done.
    case list(ChildrenList.Change, LaunchNumber?)
    /// Of one that is not begun yet the last value counts.
    case write(name: String, text: String, mode: UInt32)
    /// Lets in those from the beginning.
    case listen(ControlAccess)
    case admit(ControlAccess)
    /// Removes what others would take for a running dispatcher's, and lets go of the lock.
    case leave(lock: Int32)
  }

  enum Answer: Sendable {
    case claimed(FolderClaim.Outcome)
    case notClaimed(SystemError)
    case listed(LaunchNumber)
    case notWritten(SystemError)
    /// A descriptor that is the caller's.
    case listens(Int32)
    case doesNotListen(SystemError)
    case notAdmitted(SystemError)
  }

  private struct Shared {
    var requests: [Request] = []
    var answers: [Answer] = []
    var hasEnded = false

    mutating func add(_ request: Request) {
      if case .write(let name, _, _) = request {
        requests.removeAll { if case .write(name, _, _) = $0 { true } else { false } }
      }
      requests.append(request)
    }
  }

  private let path: String
  /// The thread's, which takes it.
  private let claim: Mutex<FolderClaim?>
  private let requestsReady: Bell
  private let answersReady: Bell
  private let shared = Mutex(Shared())

  init(_ path: String, _ claim: consuming FolderClaim) throws(SystemError) {
    self.path = path
    requestsReady = try Bell(waits: true)
    answersReady = try Bell()
    self.claim = Mutex(claim)
  }

  // MARK: The event loop's side

  /// Readable when there are answers.
  var number: Int32 { answersReady.number }

  func ask(_ request: Request) {
    shared.withLock { $0.add(request) }
    requestsReady.ring()
  }

  func takeAnswers() -> [Answer] {
    answersReady.clear()
    return shared.withLock { shared in
      defer { shared.answers = [] }
      return shared.answers
    }
  }

  var hasEnded: Bool { shared.withLock { $0.hasEnded } }

  // MARK: The thread's side

  func run() {
    guard var claim = claim.withLock({ $0.take() }) else { return }
    var children = ChildrenFile(in: path)
    while !hasEnded {
      requestsReady.clear()
      let requests = shared.withLock { shared in
        defer { shared.requests = [] }
        return shared.requests
      }
      let answers = requests.compactMap { perform($0, &claim, &children) }
      guard !answers.isEmpty else { continue }
      shared.withLock { $0.answers += answers }
      answersReady.ring()
    }
  }

  private func perform(
    _ request: Request, _ claim: inout FolderClaim, _ children: inout ChildrenFile
  ) -> Answer? {
    switch request {
    case .claim:
      do throws(SystemError) { return .claimed(try claim.take()) } catch {
        return .notClaimed(error)
      }
    case .list(let change, let number):
      children.make(change)
      return number.map { .listed($0) }
    case .write(let name, let text, let mode):
      do throws(SystemError) { try Self.replace("\(path)/\(name)", text, mode: mode) } catch {
        return .notWritten(error)
      }
    case .listen(let access):
      do throws(SystemError) {
        let socket = try listen()
        // What cannot be done is said when it is asked for alone.
        try? admit(access)
        return .listens(socket)
      } catch { return .doesNotListen(error) }
    case .admit(let access):
      do throws(SystemError) { try admit(access) } catch { return .notAdmitted(error) }
    case .leave(let lock):
      for name in [
        RuntimeFolder.controlSocketName, Front.socketName, ChildrenList.file,
        RuntimeFolder.keeperFile,
      ] { unsafe unlink("\(path)/\(name)") }
      // A keeper that hangs has a copy.
      let owned = Descriptor(owning: lock)
      owned.unlock()
      shared.withLock { $0.hasEnded = true }
    }
    return nil
  }

  private var controlSocket: String { "\(path)/\(RuntimeFolder.controlSocketName)" }

  private func listen() throws(SystemError) -> Int32 {
    // The folder's lock is ours, so a socket that is there is a dead dispatcher's.
    unsafe unlink(controlSocket)
    return try UnixSocket.listen(controlSocket, mode: 0o600).release()
  }

  /// The group first, then the permission: never is it another group's.
  private func admit(_ access: ControlAccess) throws(SystemError) {
    if let status = try? Files.status(of: controlSocket), let group = access.group,
      status.group == group, status.mode == access.mode
    {
      return
    }
    try UnixSocket.setMode(of: controlSocket, to: 0o600)
    guard let group = access.group else { return }
    try UnixSocket.give(controlSocket, toGroup: group)
    try UnixSocket.setMode(of: controlSocket, to: access.mode)
  }

  /// Writes a file beside its place and moves it there, so that nobody reads half of it.
  static func replace(_ place: String, _ text: String, mode: UInt32) throws(SystemError) {
    unsafe unlink(place + ".new")
    let file = try Descriptor.open(
      place + ".new", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: mode)
    _ = fchmod(file.number, mode)
    do throws(Errno) {
      try Transfer.writeAll(file.number, Array(text.utf8))
    } catch { throw SystemError("write", place, error) }
    guard unsafe rename(place + ".new", place) == 0 else {
      throw SystemError("rename", place, .current)
    }
  }
}

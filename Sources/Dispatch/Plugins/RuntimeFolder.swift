import Glibc
import Keeper
import Linux

/// `/run/audispatch`: who runs, the control socket, `state.json`. One dispatcher at a time has it.
///
/// Everything that touches it is asked for here and done by `FolderWork`, whose thread may hang.
final class RuntimeFolder {
  /// The variable in a plugin's environment by which a dispatcher that it starts knows whom it serves.
  static let variable = "AUDISPATCH_RUNTIME_DIR"

  let path: String
  private let work: FolderWork
  private var lock: Descriptor?
  private var isAsked = false
  /// What came of trying to take it, until that is asked about.
  private var claimed: Result<FolderClaim.Outcome, SystemError>?
  private var orphans: Orphans?
  private var children: ChildrenList?
  private var said: Wait?
  private var saidOrphans = false

  /// What the folder is waited for.
  enum Wait: Equatable {
    /// Another dispatcher has it.
    case dispatcher
    /// Somebody else could put there what we act on, or move away what is ours: why.
    case distrust(String)
    /// It cannot be used, or not yet.
    case other
  }

  /// Begins to take it.
  ///
  /// - Parameters:
  ///   - lock: what a predecessor had locked, if somebody has kept it.
  ///   - line: a place among those that wait for it that was taken for this process.
  init(
    path: String, lock: consuming Descriptor? = nil, line: consuming WaitingLine? = nil
  ) throws(SystemError) {
    self.path = path
    work = try FolderWork(path, FolderClaim(path, lock: lock, line: line))
    try WorkThread(work).detach()
    ask()
  }

  /// Whether this process was started by a plugin that a dispatcher with that folder serves, however
  /// many programs are between: it would serve itself.
  static func isServing(_ path: String) -> Bool {
    if let value = unsafe getenv(RuntimeFolder.variable) {
      let own = unsafe String(cString: value)
      if own == path || (try? Files.resolved(own)) == (try? Files.resolved(path)) { return true }
    }
    // A program in between may have left the environment out.
    let noted = (try? Transfer.contents(of: "\(path)/\(keeperFile)", limit: 32)) ?? []
    let keeper = Int32(String(decoding: noted.prefix { $0 != 0x0a }, as: UTF8.self))
    return Descent.own.isOf(
      ChildrenList.content(in: path).children,
      // A dispatching process's parent is its own.
      keeper: Keeper.isWorker && keeper == getppid() ? nil : keeper)
  }

  /// Whether the folder was taken: only then may plugins be started.
  var isOurs: Bool { lock != nil }

  /// What is locked while the folder is ours.
  var lockNumber: Int32? {
    switch lock {
    case .some(let lock): lock.number
    case nil: nil
    }
  }

  static let controlSocketName = "control.sock"

  /// Readable when something that was asked for was done.
  var number: Int32 { work.number }

  /// Whether a reason to wait is another than was asked about last.
  func isNews(_ wait: Wait) -> Bool {
    defer { said = wait }
    return said != wait
  }

  private func ask() {
    isAsked = true
    work.ask(.claim)
  }

  /// Takes the folder, or says what has to be waited for; `nil`: that is not known yet.
  func claim(now: Moment) throws(SystemError) -> FolderClaim.Outcome? {
    guard let claimed = claimed.take() else {
      if !isAsked { ask() }
      return nil
    }
    let outcome = try claimed.get()
    if case .ours(let number, let left) = outcome {
      lock = Descriptor(owning: number)
      orphans = Orphans(left, now: now)
      children = ChildrenList(left: left)
    }
    return outcome
  }

  /// Something was done that others have asked for.
  enum News {
    /// The list has the child with that number.
    case listed(LaunchNumber)
    /// A descriptor that is the caller's.
    case listens(Int32)
    case doesNotListen(SystemError)
    case failed(SystemError)
  }

  func hear() -> [News] {
    work.takeAnswers().compactMap { answer in
      switch answer {
      case .claimed(let outcome):
        (isAsked, claimed) = (false, .success(outcome))
        return nil
      case .notClaimed(let error):
        (isAsked, claimed) = (false, .failure(error))
        return nil
      case .listed(let number): return .listed(number)
      case .listens(let socket): return .listens(socket)
      case .doesNotListen(let error): return .doesNotListen(error)
      case .notAdmitted(let error), .notWritten(let error): return .failed(error)
      }
    }
  }

  // MARK: A predecessor's plugins

  /// The names of those that are waited for, the first time that there are any.
  func takeOrphanNews() -> Set<String> {
    let names = saidOrphans ? [] : orphans?.names ?? []
    saidOrphans = saidOrphans || !names.isEmpty
    return names
  }

  /// How many are waited for.
  var orphanCount: Int { orphans?.children.count ?? 0 }

  /// Whether one of that name may still run: two generations must not overlap.
  func awaitsEnd(of name: String) -> Bool { orphans?.includes(name) ?? false }

  /// Looks which still run, and asks or makes them to end as their time has come.
  ///
  /// - Returns: when to look again; `nil`: all have ended.
  func tendOrphans(_ now: Moment) -> Moment? {
    guard orphans != nil else { return nil }
    orphans?.tend(now)
    if orphans?.isEmpty ?? true { orphans = nil }
    return orphans?.nextLook(now)
  }

  // MARK: Children

  /// Children are being made: the list of them is there before they are, which holds up nobody.
  func awaitsChildren() { if let change = children?.begin() { work.ask(.list(change, nil)) } }

  /// A child is there, which does nothing until `News.listed` says its number.
  ///
  /// - Returns: `false`: it is gone.
  func started(_ name: String, _ pid: Int32, _ number: LaunchNumber) -> Bool {
    guard let changes = children?.started(name, pid), let last = changes.last else {
      return false
    }
    for change in changes.dropLast() { work.ask(.list(change, nil)) }
    work.ask(.list(last, number))
    return true
  }

  func ended(_ name: String) { children?.ended(name) }

  // MARK: What others see

  func listen(_ access: ControlAccess) { work.ask(.listen(access)) }
  func admit(_ access: ControlAccess) { work.ask(.admit(access)) }

  /// Of what is written by that name the last counts.
  func write(_ name: String, _ text: String, mode: UInt32 = 0o640) {
    if isOurs { work.ask(.write(name: name, text: text, mode: mode)) }
  }

  /// Removes what others would take for a running dispatcher's. A disk that hangs is waited for as long
  /// as that: with it the folder stays locked until this process is gone.
  func leave(within limit: Duration = .seconds(2)) {
    guard let lock = lock.take() else { return }
    work.ask(.leave(lock: lock.release()))
    let latest = Moment.now + limit
    while !work.hasEnded, Moment.now < latest { Pause.nanoseconds(100_000) }
  }

  /// The number of the process that lives on when this one dies: `audispatchctl` waits while it
  /// does.
  static let keeperFile = "keeper"

  func noteKeeper() { write(Self.keeperFile, "\(getppid())\n", mode: 0o644) }
}

import Configuration
import Glibc
import Linux

/// Who outlives this process and keeps for a successor what would die with it: the keeper behind
/// auditd, or the service manager. Without either nothing is kept.
final class Custody {
  private let loop: Loop
  private var keeper: KeeperLink?
  private let manager: ServiceLink?
  /// Of a predecessor's children, which a service manager kept, by their numbers.
  private var sockets: [ChildNumber: ChildSockets]
  private var children: UInt32 = 0
  private var isInForceKept = false

  /// - Parameter sockets: of a predecessor's children.
  init(
    _ loop: Loop, keeper: KeeperLink?, manager: ServiceLink?, sockets: [ChildNumber: ChildSockets]
  ) {
    self.loop = loop
    self.keeper = keeper
    self.manager = manager
    self.sockets = sockets
    if let keeper { _ = loop.poller.add(keeper.number, Token.keeper, .read) }
  }

  var hasKeeper: Bool { keeper != nil }
  /// Deaths in a row by a fault of the program's own.
  var crashes: Int { keeper?.crashes ?? 0 }

  // MARK: The input

  func inputIsOpen() { tellKeeper { $0.ready() } }
  /// Whether the keeper still has the input that it was asked to let go of.
  var holdsInput: Bool { keeper?.holdsInput ?? false }
  func letGoOfInput() { keeper?.letGoOfInput() }

  /// How long an input that has ended is waited behind for the next one; `nil`: nobody brings one.
  var waitForNext: Duration? { keeper?.waitForNext }
  /// Whether the keeper has heard all, or there is none.
  var keeperHasAll: Bool { keeper?.hasNothingToSend ?? true }

  /// The input was read to its end, and there is no other one yet.
  ///
  /// - Parameter isFarewell: its last record was auditd's last.
  func drained(isFarewell: Bool) { tellKeeper { $0.drained(isFarewell: isFarewell) } }

  /// The next input is about to be read; `false` when the keeper cannot be told now.
  func goesOn(_ permit: borrowing Permit) -> Bool { keeper?.goesOn() ?? true }

  /// No other input is wanted.
  func stopping() { tellKeeper { $0.stopping() } }

  /// Tells the keeper something; what it has no room for is told again.
  private func tellKeeper(_ body: (KeeperLink) -> Void) {
    guard let keeper else { return }
    body(keeper)
    if !keeper.hasNothingToSend { loop.wake(.custody, in: .milliseconds(5)) }
  }

  // MARK: Children

  /// What the next child is called.
  ///
  /// - Parameter generation: of processes with this memory.
  func nextChild(_ generation: UInt64) -> ChildNumber {
    children += 1
    return ChildNumber(generation: generation, count: children)
  }

  /// A child was started: should this process die, others have its socket.
  func keep(_ child: PluginChild, _ permit: borrowing Permit) {
    guard let number = child.number else { return }
    tellKeeper {
      $0.keep(number, child.process.pid, ourEnd: child.inputNumber, childEnd: child.unreadNumber)
    }
    manager?.keep(number, ourEnd: child.inputNumber, childEnd: child.unreadNumber)
  }

  /// All that is to be known of a child is in the surviving memory.
  func forget(_ child: ChildNumber, _ permit: borrowing Permit) {
    tellKeeper { $0.forget(child) }
    manager?.forget(child)
  }

  /// Whether a predecessor's child may still run, with its socket kept.
  func has(_ child: ChildNumber?) -> Bool {
    child.map { keeper?.kept[$0] != nil || sockets[$0] != nil } ?? false
  }

  /// Takes the sockets of those of a predecessor's children, kept by a service manager, that have
  /// ended.
  func takeSockets(where hasEnded: (ChildNumber) -> Bool) -> [ChildSockets] {
    let ended = sockets.filter { hasEnded($0.key) }
    for id in ended.keys { sockets[id] = nil }
    return Array(ended.values)
  }

  /// Takes the keeper's messages.
  ///
  /// - Returns: `false`: it is gone.
  func hearKeeper(_ body: (KeeperLink.News) -> Void) -> Bool {
    guard let keeper, !keeper.receive(body) else { return true }
    loop.poller.remove(keeper.number)
    self.keeper = nil
    // What it would have said of a predecessor's children nobody says now.
    loop.wakeAll()
    loop.say(
      .warning, "the process that holds the input is gone: no other takes over from this one")
    return false
  }

  // MARK: The runtime folder's lock, and what is in force

  /// - Parameter folder: the runtime folder.
  func keepLock(_ lock: Int32, of folder: String) {
    tellKeeper { $0.keepLock(lock, of: folder) }
    manager?.keepLock(lock)
  }

  func inForceHasChanged() { isInForceKept = false }

  /// Has what is in force kept, after a start and a reload.
  func keep(_ inForce: () -> InForce) {
    guard !isInForceKept else { return }
    isInForceKept = true
    guard keeper != nil || manager != nil else { return }
    do {
      let file = try inForce().file()
      manager?.keepInForce(file.number)
      keeper?.keepInForce(file)
      if !keeperHasAll { loop.wake(.custody, in: .milliseconds(5)) }
    } catch {
      loop.say(.error, "a successor would begin with what is on disk: \(error)")
    }
  }

  /// Sends the keeper what it had no room for.
  func tend() {
    guard !keeperHasAll else { return }
    tellKeeper { _ = $0.retry() }
    // The next input may have waited for that.
    if keeperHasAll { loop.wakeAll() }
  }

  /// A clean end: nothing of it is anybody's.
  func end() { manager?.forgetMemory() }
}

extension Custody {
  /// Takes back what a predecessor had given to a service manager: the connection, if it is to the
  /// socket that the configuration names, and the memory of what was read and queued.
  ///
  /// - Returns: that memory, or one of our own that is kept from now on; `nil`: nobody keeps any.
  static func takeMemory(
    _ manager: ServiceManager?, _ supply: SourceSupply
  ) throws(SystemError) -> Descriptor? {
    guard let manager, manager.listens else { return nil }
    switch supply.origin {
    case .standardInput, .files: return nil
    case .kernel, .peers: break
    case .unixSocket(let path):
      if let connection = manager.takeInherited(ServiceLink.connection) {
        if UnixSocket.isConnected(connection.number, to: path) {
          supply.store(connection)
        } else {
          manager.forget(ServiceLink.connection)
          supply.giveUpStored()
        }
      }
    }
    if let memory = manager.takeInherited(ServiceLink.memory) { return memory }
    let memory = try Descriptor.anonymousFile("audispatch")
    manager.store(memory.number, as: ServiceLink.memory, isNeeded: true)
    return memory
  }

  /// Takes back the sockets of a predecessor's children, and has what is left over kept no longer.
  static func takeSockets(
    _ manager: ServiceManager?, of predecessor: Predecessor?
  ) -> [ChildNumber: ChildSockets] {
    guard let manager else { return [:] }
    var kept: [ChildNumber: ChildSockets] = [:]
    for queue in predecessor?.queues.values ?? [:].values {
      guard let child = queue.child,
        let ourEnd = manager.takeInherited(ServiceLink.ourEnd(of: child)),
        let childEnd = manager.takeInherited(ServiceLink.childEnd(of: child))
      else { continue }
      // As the predecessor's death would have ended it, had nobody kept it.
      shutdown(ourEnd.number, Int32(SHUT_WR))
      kept[child] = ChildSockets(id: child, ourEnd: ourEnd, childEnd: childEnd)
    }
    manager.forgetRest()
    return kept
  }
}

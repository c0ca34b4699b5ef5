import Configuration
import Glibc
import Linux

/// Who outlives this process and keeps for a successor what would die with it: the holder behind
/// auditd, or the service manager. Without either nothing is kept.
final class Custody {
  private let loop: Loop
  private var holder: HolderLink?
  private let manager: ServiceLink?
  /// Of a predecessor's children, which a service manager kept, by their numbers.
  private var sockets: [UInt64: ChildSockets]
  private var children: UInt64 = 0
  private var isInForceKept = false

  /// - Parameter sockets: of a predecessor's children.
  init(
    _ loop: Loop, holder: HolderLink?, manager: ServiceLink?, sockets: [UInt64: ChildSockets]
  ) {
    self.loop = loop
    self.holder = holder
    self.manager = manager
    self.sockets = sockets
    if let holder { _ = loop.poller.add(holder.number, Token.holder, .read) }
  }

  var hasHolder: Bool { holder != nil }
  /// Deaths in a row by a fault of the program's own.
  var crashes: Int { holder?.crashes ?? 0 }

  // MARK: The input

  func inputIsOpen() { tellHolder { $0.ready() } }
  /// Whether the holder still has the input that it was asked to let go of.
  var holdsInput: Bool { holder?.holdsInput ?? false }
  func letGoOfInput() { holder?.letGoOfInput() }

  /// How long an input that has ended is waited behind for the next one; `nil`: nobody brings one.
  var waitForNext: Duration? { holder?.waitForNext }
  /// Whether the holder has heard all, or there is none.
  var holderHasAll: Bool { holder?.hasNothingToSend ?? true }

  /// The input was read to its end, and there is no other one yet.
  ///
  /// - Parameter isFarewell: its last record was auditd's last.
  func isDrained(isFarewell: Bool) { tellHolder { $0.drained(isFarewell: isFarewell) } }

  /// The next input is about to be read; `false` when the holder cannot be told now.
  func goesOn(_ permit: borrowing Permit) -> Bool { holder?.goesOn() ?? true }

  /// No other input is wanted.
  func isStopping() { tellHolder { $0.isStopping() } }

  /// Tells the holder something; what it has no room for is told again.
  private func tellHolder(_ body: (HolderLink) -> Void) {
    guard let holder else { return }
    body(holder)
    if !holder.hasNothingToSend { loop.wake(.custody, in: .milliseconds(5)) }
  }

  // MARK: Children

  /// What the next child is called.
  ///
  /// - Parameter generation: of processes with this memory.
  func nextChild(_ generation: UInt64) -> UInt64 {
    children += 1
    return generation << 32 | children
  }

  /// A child was started: should this process die, others have its socket.
  func keep(_ child: PluginChild, _ permit: borrowing Permit) {
    tellHolder {
      $0.keep(
        child.number, child.process.pid, ourEnd: child.inputNumber, childEnd: child.unreadNumber)
    }
    manager?.keep(child.number, ourEnd: child.inputNumber, childEnd: child.unreadNumber)
  }

  /// All that is to be known of a child is in the surviving memory.
  func forget(_ child: UInt64, _ permit: borrowing Permit) {
    tellHolder { $0.forget(child) }
    manager?.forget(child)
  }

  /// Whether a predecessor's child may still run, with its socket kept.
  func has(_ child: UInt64) -> Bool { holder?.kept[child] != nil || sockets[child] != nil }

  /// Takes the sockets of those of a predecessor's children, kept by a service manager, that have
  /// ended.
  func takeSockets(where hasEnded: (UInt64) -> Bool) -> [ChildSockets] {
    let ended = sockets.filter { hasEnded($0.key) }
    for id in ended.keys { sockets[id] = nil }
    return Array(ended.values)
  }

  /// Takes the holder's messages.
  ///
  /// - Returns: `false`: it is gone.
  func hearHolder(_ body: (HolderLink.News) -> Void) -> Bool {
    guard let holder, !holder.receive(body) else { return true }
    loop.poller.remove(holder.number)
    self.holder = nil
    // What it would have said of a predecessor's children nobody says now.
    loop.wakeAll()
    loop.say(
      .warning, "the process that holds the input is gone: no other takes over from this one")
    return false
  }

  // MARK: The runtime folder's lock, and what is in force

  /// - Parameter folder: the runtime folder.
  func keepLock(_ lock: Int32, of folder: String) {
    tellHolder { $0.keepLock(lock, of: folder) }
    manager?.keepLock(lock)
  }

  func inForceHasChanged() { isInForceKept = false }

  /// Has what is in force kept, after a start and a reload.
  func keep(_ inForce: () -> InForce) {
    guard !isInForceKept else { return }
    isInForceKept = true
    guard holder != nil || manager != nil else { return }
    do {
      let file = try inForce().file()
      manager?.keepInForce(file.number)
      holder?.keepInForce(file)
    } catch {
      loop.say(.error, "a successor would begin with what is on disk: \(error)")
    }
  }

  /// Sends the holder what it had no room for.
  func tend() {
    guard !holderHasAll else { return }
    tellHolder { _ = $0.retry() }
    // The next input may have waited for that.
    if holderHasAll { loop.wakeAll() }
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
  ) -> [UInt64: ChildSockets] {
    guard let manager else { return [:] }
    var kept: [UInt64: ChildSockets] = [:]
    for queue in predecessor?.queues.values ?? [:].values where queue.child != 0 {
      guard let ourEnd = manager.takeInherited(ServiceLink.ourEnd(of: queue.child)),
        let childEnd = manager.takeInherited(ServiceLink.childEnd(of: queue.child))
      else { continue }
      // As the predecessor's death would have ended it, had nobody kept it.
      shutdown(ourEnd.number, Int32(SHUT_WR))
      kept[queue.child] = ChildSockets(id: queue.child, ourEnd: ourEnd, childEnd: childEnd)
    }
    manager.forgetRest()
    return kept
  }
}

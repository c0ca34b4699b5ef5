import Glibc
import Linux

/// The dispatcher as a service: what its manager is told, and keeps.
///
/// Behind auditd the manager is auditd's, and is told nothing: it would not listen to us.
extension Dispatcher {
  /// Whether a descriptor of that name, which a service manager kept, has a meaning.
  public static func knowsDescriptor(named name: String) -> Bool { ServiceLink.knows(name) }

  /// Takes back what a predecessor had given away to be kept: the connection, if it is to the socket
  /// that the configuration names, and the memory of what was read and queued.
  ///
  /// - Returns: that memory, or one of our own that is kept from now on; `nil`: nobody keeps any.
  static func takeKept(
    _ manager: ServiceManager?, _ intake: SourceSupply
  ) throws(SystemError) -> Descriptor? {
    guard let manager, manager.listens else { return nil }
    switch intake.origin {
    case .standardInput, .files: return nil
    case .kernel, .peers: break
    case .unixSocket(let path):
      if let connection = manager.takeInherited(ServiceLink.connection) {
        if UnixSocket.isConnected(connection.number, to: path) {
          intake.store(connection)
        } else {
          manager.forget(ServiceLink.connection)
          intake.gaveUpConnection = true
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

  /// Takes over from those of a predecessor's children that have ended; the runtime folder is ours.
  func settleKeptSockets() {
    for (id, child) in keptSockets {
      let plugin = plugins.first { $0.inheritance?.queue.child == id }
      if let plugin, runtime.awaitsEnd(of: plugin.name) { continue }
      keptSockets[id] = nil
      predecessorsChildEnded(child)
    }
  }

  func makeServiceLink(_ manager: ServiceManager?) {
    guard let manager, manager.listens, intake.origin != .standardInput else { return }
    let service = ServiceLink(manager, now: now)
    self.service = service
    if intake.gaveUpConnection {
      say(
        .warning,
        "the connection that was kept is not to \(intake.description): given up, with what waits in it"
      )
    }
    if intake.hasStored {
      service.hasStored = true
      say(.notice, "going on with the connection to \(intake.description) that was kept")
    }
  }

  /// Has the manager keep a connection that was just opened.
  func storeConnection(_ fd: Int32) {
    guard case .unixSocket = intake.origin, let service, !service.hasStored else { return }
    service.hasStored = true
    service.manager.store(fd, as: ServiceLink.connection, isNeeded: true)
  }

  /// A connection has ended: what it had was read.
  func forgetConnection() {
    guard let service, service.hasStored else { return }
    service.hasStored = false
    service.manager.forget(ServiceLink.connection)
  }

  /// What has to be told because time has passed or something has happened.
  func tendService() {
    guard let service else { return }
    if runtime.isOurs, plugins.allSatisfy({ $0.lifecycle.state != .starting }) {
      service.becameReady()
    }
    service.show(serviceStatus)
    let next = service.look(
      now,
      inputWaits: { [self] in
        guard sourceIsReadable, !isPaused, let fd = source.inputNumber else { return false }
        return DescriptorKind.isReadable(fd)
      }, bytesRead: source.bytes)
    if let next { scheduleTick(next) }
    if service.manager.hasWaiting {
      service.manager.retry()
      scheduleTick(now + .milliseconds(100))
    }
  }

  private var serviceStatus: String {
    guard ending.isRunning else { return "stopping" }
    let running = plugins.count { $0.stateName == "running" }
    let others = plugins.filter { $0.stateName != "running" }.map { "\($0.name) \($0.stateName)" }
    let rest = others.isEmpty ? "" : ": " + others.joined(separator: ", ")
    return "\(intake.description), \(running) of \(plugins.count) plugins run\(rest)"
  }
}

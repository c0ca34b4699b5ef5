import Linux

/// What the service manager is told of the dispatcher's life, and when.
final class ServiceLink {
  /// What the stored connection is called.
  static let connection = "audit"
  /// What the memory is called of what was read and queued.
  static let memory = "memory"

  /// What the configuration in force is called.
  static let configuration = "configuration"
  /// What the runtime folder's lock is called.
  static let lock = "lock"

  /// What the ends of a child's socket are called.
  static func ourEnd(of child: ChildNumber) -> String { "plugin-\(child)" }
  static func childEnd(of child: ChildNumber) -> String { "plugin-\(child)-end" }

  static func knows(_ name: String) -> Bool {
    name == connection || name == memory || name == lock || name == configuration
      || name.hasPrefix("plugin-")
  }

  private let loop: Loop
  private let manager: ServiceManager
  private(set) var isReady = false
  /// It keeps the connection that is read from.
  private(set) var hasStored: Bool
  private var status = ""
  private var watchdog: Watchdog?

  /// `nil`: nobody listens. Behind auditd the manager is auditd's: it would not listen to us.
  init?(_ manager: ServiceManager?, _ supply: SourceSupply, _ loop: Loop) {
    guard let manager, manager.listens, supply.origin != .standardInput else { return nil }
    self.loop = loop
    self.manager = manager
    hasStored = supply.hasStored
    watchdog = manager.watchdog.map { Watchdog(limit: $0, now: loop.now) }
    if supply.gaveUpConnection {
      loop.say(
        .warning,
        "the connection that was kept is not to \(supply.description): given up, with what waits in it"
      )
    }
    if hasStored {
      loop.say(.notice, "going on with the connection to \(supply.description) that was kept")
    }
  }

  /// A connection was opened.
  func store(_ connection: Int32, _ permit: borrowing Permit) {
    guard !hasStored else { return }
    hasStored = true
    told { $0.store(connection, as: Self.connection, isNeeded: true) }
  }

  /// The connection has ended: what it had was read.
  func forgetConnection() {
    guard hasStored else { return }
    hasStored = false
    told { $0.forget(Self.connection) }
  }

  /// Tells the manager something; what it has no room for is told again.
  private func told(_ body: (ServiceManager) -> Void) {
    body(manager)
    if manager.hasWaiting { loop.wake(.service, in: .milliseconds(100)) }
  }

  /// Sends what the manager had no room for.
  func retry() { told { $0.retry() } }

  /// Everything that is active was started, or tried to be.
  func becameReady() {
    guard !isReady else { return }
    isReady = true
    told { $0.tell("READY=1") }
  }

  func show(_ text: String) {
    guard text != status else { return }
    status = text
    told { $0.tell("STATUS=\(text)") }
  }

  func beginsReload(_ now: Moment) {
    guard isReady else { return }
    told { $0.tell("RELOADING=1\nMONOTONIC_USEC=\(now.nanoseconds / 1000)") }
  }

  func endsReload() {
    if isReady { told { $0.tell("READY=1") } }
  }

  /// A child was started: should this process die, its successor asks what the child had not read.
  func keep(_ child: ChildNumber, ourEnd: Int32, childEnd: Int32) {
    told {
      $0.store(ourEnd, as: Self.ourEnd(of: child))
      $0.store(childEnd, as: Self.childEnd(of: child))
    }
  }

  /// The runtime folder stays locked while the service is started again.
  func keepLock(_ lock: Int32) {
    told { $0.store(lock, as: Self.lock) }
  }

  /// What is in force now.
  func keepInForce(_ file: Int32) {
    told {
      $0.forget(Self.configuration)
      $0.store(file, as: Self.configuration)
    }
  }

  func forget(_ child: ChildNumber) {
    told {
      $0.forget(Self.ourEnd(of: child))
      $0.forget(Self.childEnd(of: child))
    }
  }

  /// A clean end: nothing of it is anybody's. Waits a tenth of a second for a manager that is busy.
  func forgetMemory() {
    manager.forget(Self.memory)
    manager.forget(Self.lock)
    manager.forget(Self.configuration)
    for _ in 0..<50 where manager.hasWaiting {
      Pause.nanoseconds(2_000_000)
      manager.retry()
    }
  }

  func stops() { told { $0.tell("STOPPING=1") } }

  /// Gives a sign of life when one is due and deserved.
  ///
  /// - Returns: when to look again; `nil`: never.
  func look(_ now: Moment, inputWaits: () -> Bool, bytesRead: UInt64) -> Moment? {
    guard watchdog != nil else { return nil }
    if watchdog?.isDue(now) ?? false,
      watchdog?.look(now, inputWaits: inputWaits(), bytesRead: bytesRead) ?? false
    {
      manager.tellAlive()
    }
    return watchdog?.next
  }
}

/// When a sign of life is given: twice in the time that the service manager waits for one, and only
/// if input that waited at one look was read from by the next.
struct Watchdog: Equatable {
  private let period: Duration
  private(set) var next: Moment
  private var waited = false
  private var bytesBefore: UInt64 = 0

  init(limit: Duration, now: Moment) {
    period = limit / 2
    next = now
  }

  func isDue(_ now: Moment) -> Bool { now >= next }

  /// Whether there is progress.
  mutating func look(_ now: Moment, inputWaits: Bool, bytesRead: UInt64) -> Bool {
    let isNeglected = waited && inputWaits && bytesRead == bytesBefore
    waited = inputWaits
    bytesBefore = bytesRead
    next = now + period
    return !isNeglected
  }
}

import CAudispatch
import Glibc

/// The service manager that started this process, as told by it (sd_notify(3)). Never blocks:
/// what it does not take now is sent by `retry`.
public final class ServiceManager {
  private final class Message {
    let text: String
    /// What it has kept, and by which name; `nil` and -1: nothing.
    let name: String?
    let descriptor: Int32

    init(_ text: String, keeping name: String? = nil, owning descriptor: Int32 = -1) {
      self.text = text
      self.name = name
      self.descriptor = descriptor
    }

    deinit { if descriptor >= 0 { close(descriptor) } }
  }

  /// More is not told to one that does not listen any more.
  private static let longestQueue = 1024
  /// Descriptors that wait to be kept, at most.
  private static let mostDescriptors = 256

  public let watchdog: Duration?
  private let address: String?
  private var socket: Descriptor?
  private var waiting: [Message] = []
  private var inherited: [String: Int32] = [:]

  /// Keeps, of the descriptors that were handed over, the first of each name that has a meaning, and
  /// closes every other one from 3 on.
  public init(_ environment: ServiceEnvironment, keeping isKept: (String) -> Bool) {
    watchdog = environment.watchdog
    address = environment.notifySocket
    var numbers: [Int32] = []
    for (index, name) in environment.descriptorNames.enumerated()
    where inherited[name] == nil && isKept(name) {
      inherited[name] = Int32(3 + index)
      numbers.append(Int32(3 + index))
    }
    if unsafe ad_keep_only(numbers, Int32(numbers.count)) != 0 {
      // One of them was not open at all.
      inherited = [:]
      DescriptorKind.closeAll(from: 3)
    }
  }

  /// Whether it wants to be told anything.
  public var listens: Bool { address != nil }

  /// Something waits for `retry`.
  public var hasWaiting: Bool { !waiting.isEmpty }

  /// Gives away a descriptor that was handed over; its owner closes it.
  public func takeInherited(_ name: String) -> Descriptor? {
    inherited.removeValue(forKey: name).map { Descriptor(owning: $0) }
  }

  /// Has what was handed over and not taken kept no longer.
  public func forgetRest() {
    for (name, number) in inherited {
      close(number)
      forget(name)
    }
    inherited = [:]
  }

  /// Tells it lines `NAME=value`, in the order of the calls.
  public func tell(_ text: String) {
    guard listens else { return }
    // Only the last of these counts.
    if text.hasPrefix("STATUS=") { waiting.removeAll { $0.text.hasPrefix("STATUS=") } }
    waiting.append(Message(text))
    retry()
  }

  /// A sign of life, which nobody needs later.
  public func tellAlive() {
    guard listens else { return }
    let sign = Message("WATCHDOG=1")
    waiting.insert(sign, at: 0)
    retry()
    if waiting.first === sign { waiting.removeFirst() }
  }

  /// Has it keep a descriptor over the death of this process, until `forget`.
  ///
  /// - Parameter isNeeded: also when many wait already, because it does not listen.
  public func store(_ descriptor: Int32, as name: String, isNeeded: Bool = false) {
    guard listens, isNeeded || waiting.count(where: { $0.name != nil }) < Self.mostDescriptors
    else { return }
    let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 3)
    guard copy >= 0 else { return }
    // Not dropped when the other side hangs up: there may be something to read in it.
    waiting.append(
      Message("FDSTORE=1\nFDNAME=\(name)\nFDPOLL=0", keeping: name, owning: copy))
    retry()
  }

  /// Has what it keeps by that name kept no longer; what it has not taken yet it never gets.
  public func forget(_ name: String) {
    let count = waiting.count
    waiting.removeAll { $0.name == name }
    if waiting.count == count { tell("FDSTOREREMOVE=1\nFDNAME=\(name)") }
  }

  /// Sends what waits, as far as it is taken.
  public func retry() {
    guard let address else { return }
    if socket == nil {
      let number = unsafe ad_notify_connect(address)
      if number >= 0 { socket = Descriptor(owning: number) }
    }
    while let message = waiting.first, let socket = socket?.number {
      let passed = message.descriptor < 0 ? [] : [message.descriptor]
      if PacketChannel.send(socket, Array(message.text.utf8), passed) != 0 {
        // It was started anew: its socket is another one.
        if errno == ECONNREFUSED || errno == ENOTCONN { self.socket = nil }
        break
      }
      waiting.removeFirst()
    }
    if waiting.count > Self.longestQueue,
      let first = waiting.firstIndex(where: { $0.name == nil })
    {
      waiting.remove(at: first)
    }
  }
}

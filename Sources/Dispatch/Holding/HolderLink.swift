import Glibc
import Keeper
import Linux

/// Both ends of the socket of a dead predecessor's child.
final class ChildSockets {
  let id: UInt64
  let ourEnd: Descriptor
  let childEnd: Descriptor

  init(id: UInt64, ourEnd: consuming Descriptor, childEnd: consuming Descriptor) {
    self.id = id
    self.ourEnd = ourEnd
    self.childEnd = childEnd
  }
}

/// The connection of the process that dispatches to the one that holds its input.
///
/// Both sides write messages of one line:
///
///     hello N wait:MILLISECONDS ID:PID …
///                        first, with the surviving memory and the runtime folder's lock: crashes in a
///                        row, how long the next input is waited for where a front may bring one, and
///                        children of a dead predecessor
///     in force           second, with the configuration that was in force, if there was one
///     ended ID           such a child is gone; with both ends of its socket
///     keep ID PID        a child was started; with both ends of its socket
///     in force           with the configuration that is in force from now on
///     lock FOLDER        the runtime folder is ours; with what is locked, which so stays locked
///     front              with the keeper's end of the front's link
///     input              to be read behind what is read; with its front's link, too
///     drained            the input was read to its end, and there is no other one yet; `drained
///                        farewell`: its last record was auditd's last
///     went on            the next input is read from now on
///     stopping           no other input is wanted
///     forget ID          all that is to be known of a child is in the surviving memory
///     ready              input is being read
///     release            no more input is wanted: a pipe is let go of
///     released           it was
final class HolderLink {
  /// The variable by which a process knows that it has a holder, at descriptor 3.
  static let variable = "AUDISPATCH_HOLDER"
  static let descriptor: Int32 = 3

  private let channel: MessageChannel
  /// Children of the predecessor that the holder knows, by their numbers.
  private(set) var kept: [UInt64: Int32] = [:]
  let memory: Survivor
  /// What a predecessor had locked in the runtime folder.
  private var lock: Descriptor?
  /// The configuration that was in force, then that which is.
  private var inForce: Descriptor?
  /// What the holder, which had too much to read, has not got yet.
  private var waiting: [Message] = []

  private struct Message {
    let text: String
    var descriptors: [Int32] = []
    /// The child that is to be kept.
    var child: UInt64?
  }
  /// Deaths in a row by a fault of the program's own.
  private(set) var crashes = 0
  /// How long an input that has ended is waited behind for the next one; `nil`: there is none.
  private(set) var waitForNext: Duration?

  /// `nil` without a holder.
  static func connect() -> HolderLink? {
    guard let value = unsafe getenv(variable), unsafe String(cString: value) == "1",
      DescriptorKind.isSocket(descriptor)
    else { return nil }
    unsafe unsetenv(variable)
    // It was executed by another name.
    setProcessName("audispatchd")
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    return HolderLink(MessageChannel(owning: Descriptor(owning: descriptor)))
  }

  private init?(_ channel: consuming MessageChannel) {
    let received = channel.receive()
    guard case .message(let text, let file?, let lock) = consume received,
      let memory = try? Survivor(held: file)
    else { return nil }
    self.memory = memory
    self.lock = lock
    if case .message(_, let file, _) = channel.receive() { inForce = file }
    for word in text.split(separator: " ").dropFirst() {
      if let number = Int(word) { crashes = number }
      let parts = word.split(separator: ":")
      if parts.count == 2, parts[0] == "wait", let milliseconds = Int(parts[1]) {
        waitForNext = .milliseconds(milliseconds)
      }
      if parts.count == 2, let id = UInt64(parts[0]), let pid = Int32(parts[1]) { kept[id] = pid }
    }
    self.channel = channel
  }

  var number: Int32 { channel.number }

  func takeLock() -> Descriptor? { lock.take() }
  func takeInForce() -> Descriptor? { inForce.take() }

  func keepInForce(_ file: consuming Descriptor) {
    waiting.removeAll { $0.text == "in force" }
    let number = file.number
    inForce = consume file
    send(Message(text: "in force", descriptors: [number]))
  }

  func ready() { send(Message(text: "ready")) }

  /// Whether it still has the input that it was asked to let go of.
  private(set) var holdsInput = false

  func letGoOfInput() { holdsInput = channel.send("release") }

  /// Has a child's socket kept; both ends stay open until `forget`.
  func keep(_ id: UInt64, _ pid: Int32, ourEnd: Int32, childEnd: Int32) {
    send(Message(text: "keep \(id) \(pid)", descriptors: [ourEnd, childEnd], child: id))
  }

  func forget(_ id: UInt64) {
    if let place = waiting.firstIndex(where: { $0.child == id }) {
      waiting.remove(at: place)
    } else {
      send(Message(text: "forget \(id)"))
    }
  }

  func keepLock(_ number: Int32, of folder: String) {
    send(Message(text: "lock \(folder)", descriptors: [number]))
  }

  func drained(isFarewell: Bool) {
    send(Message(text: isFarewell ? "drained farewell" : "drained"))
  }

  func isStopping() { if waitForNext != nil { send(Message(text: "stopping")) } }

  /// The next input is about to be read.
  ///
  /// - Returns: `false` when that could not be said.
  func goesOn() -> Bool { waiting.isEmpty && channel.send("went on") }

  var hasNothingToSend: Bool { waiting.isEmpty }

  private func send(_ message: Message) {
    if waiting.isEmpty, channel.send(message.text, message.descriptors) { return }
    waiting.append(message)
  }

  /// Sends what waits.
  ///
  /// - Returns: whether something still does.
  func retry() -> Bool {
    let sent = waiting.prefix { channel.send($0.text, $0.descriptors) }.count
    waiting.removeFirst(sent)
    return !waiting.isEmpty
  }

  enum News {
    /// A predecessor's child is gone now.
    case ended(ChildSockets)
    case front(FrontLink)
    case input(HandedInput)
  }

  /// Takes the messages that wait; `false` when the holder is gone.
  func receive(_ body: (News) -> Void) -> Bool {
    while true {
      switch channel.receive() {
      case .nothing: return true
      case .ended:
        holdsInput = false
        return false
      case .message(let text, let first, let second):
        let words = text.split(separator: " ")
        switch (words.first, words.dropFirst().first.flatMap { UInt64($0) }) {
        case ("released", nil): holdsInput = false
        case ("ended", let id?):
          guard let first, let second else { continue }
          body(.ended(ChildSockets(id: id, ourEnd: first, childEnd: second)))
        case ("front", nil):
          guard let first else { continue }
          body(.front(FrontLink(owning: first)))
        case ("input", nil):
          guard let first, let second else { continue }
          body(.input(HandedInput(input: first, link: FrontLink(owning: second))))
        default: continue
        }
      }
    }
  }
}

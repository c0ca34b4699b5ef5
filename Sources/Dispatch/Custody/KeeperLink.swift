import Keeper
import Linux

/// Both ends of the socket of a dead predecessor's child.
final class ChildSockets {
  let id: ChildNumber
  let ourEnd: Descriptor
  let childEnd: Descriptor

  init(id: ChildNumber, ourEnd: consuming Descriptor, childEnd: consuming Descriptor) {
    self.id = id
    self.ourEnd = ourEnd
    self.childEnd = childEnd
  }
}

/// The connection of the process that dispatches to the one that holds its input: what both say is in
/// `WorkerWord` and `WordToWorker`.
final class KeeperLink {
  private let channel: MessageChannel
  /// Children of the predecessor that the keeper knows, by their numbers.
  let kept: [ChildNumber: Int32]
  let memory: Survivor
  /// What a predecessor had locked in the runtime folder.
  private var lock: Descriptor?
  /// The place among those that wait for it that the front has taken, as long as it is waited for.
  private var line: WaitingLine?
  /// The configuration that was in force, then that which is.
  private var inForce: Descriptor?
  /// What the keeper, which had too much to read, has not got yet.
  private var waiting: [Message] = []

  private struct Message {
    let word: WorkerWord
    let descriptors: [Int32]
  }
  /// Deaths in a row by a fault of the program's own.
  let crashes: Int
  /// How long an input that has ended is waited behind for the next one; `nil`: there is none.
  let waitForNext: Duration?

  /// `nil` without a keeper.
  static func connect() -> KeeperLink? {
    guard let channel = Keeper.takeLink() else { return nil }
    return KeeperLink(channel)
  }

  private init?(_ channel: consuming MessageChannel) {
    let received = channel.receive()
    guard case .message(let text, let file?, let second) = consume received,
      case .hello(let greeting) = WordToWorker(text), let memory = try? Survivor(held: file)
    else { return nil }
    self.memory = memory
    if let place = greeting.place {
      if let second { line = WaitingLine(given: second, place: place) }
    } else {
      lock = second
    }
    crashes = greeting.crashes
    waitForNext = greeting.wait
    kept = Dictionary(
      uniqueKeysWithValues: greeting.children.compactMap { (id, pid) in
        ChildNumber(kept: id).map { ($0, pid) }
      })
    if case .message(_, let file, _) = channel.receive() { inForce = file }
    self.channel = channel
  }

  var number: Int32 { channel.number }

  func takeLock() -> Descriptor? { lock.take() }
  func takeLine() -> WaitingLine? { line.take() }
  func takeInForce() -> Descriptor? { inForce.take() }

  func keepInForce(_ file: consuming Descriptor) {
    waiting.removeAll { $0.word == .inForce }
    let number = file.number
    inForce = consume file
    send(.inForce, [number])
  }

  func ready() { send(.ready) }

  /// Whether it still has the input that it was asked to let go of.
  private(set) var holdsInput = false

  func letGoOfInput() { holdsInput = channel.send(WorkerWord.release.text) }

  /// Has a child's socket kept; both ends stay open until `forget`.
  func keep(_ id: ChildNumber, _ pid: Int32, ourEnd: Int32, childEnd: Int32) {
    send(.keep(id.value, pid: pid), [ourEnd, childEnd])
  }

  func forget(_ child: ChildNumber) {
    let id = child.value
    let place = waiting.firstIndex {
      if case .keep(id, _) = $0.word { true } else { false }
    }
    if let place { waiting.remove(at: place) } else { send(.forget(id)) }
  }

  func keepLock(_ number: Int32, of folder: String) {
    send(.lock(folder: folder), [number])
  }

  func drained(isFarewell: Bool) { send(.drained(isFarewell: isFarewell)) }

  func stopping() { if waitForNext != nil { send(.stopping) } }

  /// The next input is about to be read.
  ///
  /// - Returns: `false` when that could not be said.
  func goesOn() -> Bool { waiting.isEmpty && channel.send(WorkerWord.wentOn.text) }

  var hasNothingToSend: Bool { waiting.isEmpty }

  private func send(_ word: WorkerWord, _ descriptors: [Int32] = []) {
    if waiting.isEmpty, channel.send(word.text, descriptors) { return }
    waiting.append(Message(word: word, descriptors: descriptors))
  }

  /// Sends what waits.
  ///
  /// - Returns: whether something still does.
  func retry() -> Bool {
    let sent = waiting.prefix { channel.send($0.word.text, $0.descriptors) }.count
    waiting.removeFirst(sent)
    return !waiting.isEmpty
  }

  enum News {
    /// A predecessor's child is gone now.
    case ended(ChildSockets)
    case front(FrontLink)
    case input(HandedInput)
  }

  /// Takes the messages that wait; `false` when the keeper is gone.
  func receive(_ body: (News) -> Void) -> Bool {
    while true {
      switch channel.receive() {
      case .nothing: return true
      case .ended:
        holdsInput = false
        return false
      case .message(let text, let first, let second):
        switch WordToWorker(text) {
        case .released: holdsInput = false
        case .ended(let id):
          guard let first, let second, let id = ChildNumber(kept: id) else { continue }
          body(.ended(ChildSockets(id: id, ourEnd: first, childEnd: second)))
        case .front:
          guard let first else { continue }
          body(.front(FrontLink(owning: first)))
        case .input:
          guard let first, let second else { continue }
          body(.input(HandedInput(input: first, link: FrontLink(owning: second))))
        case .hello, .inForce, nil: continue
        }
      }
    }
  }
}

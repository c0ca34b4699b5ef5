import Glibc
import Keeper
import Linux

/// What a keeper has to do with fronts: `KeeperDoor` meets them, the worker reads what they bring.
extension Holder {
  /// A word of the first message to a worker: for how many milliseconds the next input is waited for.
  var waitForNext: String { door.map { " wait:\(Int($0.wait / .milliseconds(1)))" } ?? "" }

  /// Tells a worker that is started of the front that there is, and of inputs that are not read yet.
  func introduceFront(over channel: borrowing MessageChannel) {
    guard let door else { return }
    if let number = door.linkNumber { channel.send("front", [number]) }
    for handed in door.unread { channel.send("input", [handed.input.number, handed.link.number]) }
    inputsToSend = 0
  }

  /// Takes what fronts bring, and does what has to be done because time has passed.
  func lookAtDoor() {
    guard let door else { return }
    for order in door.look(.now) { follow(order) }
    sendInputs()
  }

  private func follow(_ order: KeeperDoor.Order) {
    switch order {
    case .signal(let signal): passOn(signal)
    case .read: inputsToSend += 1
    case .stop(let reason):
      if !reason.isEmpty { messages.write(.notice, "stopping: \(reason)") }
      passOn(SIGTERM)
    }
  }

  /// Gives the worker inputs that it has not got; one that has too much to read gets them later.
  private func sendInputs() {
    guard let door, worker != nil else { return }
    while inputsToSend > 0 {
      let handed = door.unread[door.unread.count - inputsToSend]
      guard
        channel?.send("input", [handed.input.number, handed.link.number]) ?? false
      else { return }
      inputsToSend -= 1
    }
  }

  /// The worker has the runtime folder.
  func openDoor(in folder: String) {
    // Whether the front is still there has to be known.
    lookAtDoor()
    guard let problem = door?.open(in: folder) else { return }
    messages.write(
      .warning, "\(problem): the next audispatchd that auditd starts cannot go on for this one")
  }

  /// What the worker says of its input.
  func hearOfInputs(_ text: String) {
    guard let door else { return }
    switch text {
    case "drained": for order in door.drained(isFarewell: false, .now) { follow(order) }
    case "drained farewell": for order in door.drained(isFarewell: true, .now) { follow(order) }
    case "went on":
      if let handed = door.wentOn(.now) { dup2(handed.input.number, 0) }
    case "stopping": door.stopAsked(.now)
    default: break
    }
  }
}

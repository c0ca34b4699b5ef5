import AudispatchPlugin

/// Messages in their order, from the first that is not done: some sent, the rest still to send.
struct MessageQueue {
  struct Entry {
    var message: [UInt8]
    /// What is done when this message is, and everything before it.
    var token: DeliveryToken?
    /// That of the event, to name it by.
    var serial: UInt64
  }

  private var entries: [Entry] = []
  // Entries before it are done.
  private var first = 0
  /// Those from the first on that are on their way.
  private(set) var sent = 0
  /// Of all that is not done.
  private(set) var bytes = 0

  var count: Int { entries.count - first }
  var unsent: Int { count - sent }

  mutating func append(_ message: [UInt8], token: DeliveryToken?, serial: UInt64 = 0) {
    entries.append(Entry(message: message, token: token, serial: serial))
    bytes += message.count
  }

  /// Makes the last message carry a token; `false` when there is none.
  mutating func attach(_ token: DeliveryToken) -> Bool {
    guard count > 0 else { return false }
    entries[entries.count - 1].token = token
    return true
  }

  /// The next message to send, which counts as sent from now on.
  mutating func next() -> [UInt8]? {
    guard unsent > 0 else { return nil }
    defer { sent += 1 }
    return entries[first + sent].message
  }

  /// Takes back that the last was sent.
  mutating func unsend() { sent -= 1 }

  /// Lets go of the first so many, which were sent; what is done with them.
  mutating func finish(_ count: Int) -> DeliveryToken? {
    precondition(count <= sent, "more is done than was sent")
    var token: DeliveryToken?
    for index in first..<first + count {
      bytes -= entries[index].message.count
      token = entries[index].token ?? token
      entries[index].message = []
    }
    first += count
    sent -= count
    if first > 1024, first * 2 > entries.count {
      entries.removeFirst(first)
      first = 0
    }
    return token
  }

  /// Takes the first message out, while none is on its way; `nil` where it is the only one.
  mutating func setAside() -> Entry? {
    precondition(sent == 0, "what is on its way is set aside")
    guard count > 1 else { return nil }
    let entry = entries[first]
    entries[first].message = []
    first += 1
    bytes -= entry.message.count
    return entry
  }

  /// Puts it back to where it was, while none is on its way.
  mutating func putBack(_ entry: Entry) {
    precondition(sent == 0, "something is sent before it")
    if first > 0 {
      first -= 1
      entries[first] = entry
    } else {
      entries.insert(entry, at: 0)
    }
    bytes += entry.message.count
  }

  /// Nothing is on its way any more: all of it is to be sent again. Returns how many were.
  mutating func startOver() -> Int {
    defer { sent = 0 }
    return sent
  }
}

import RemoteProtocol
import Testing

/// A sender on a clock that stands still unless it is moved.
struct Clocked {
  var sender: Sender
  var now = Duration.seconds(1000)

  init(
    servers: Int = 1, window: Int = 100, heartbeat: Duration? = nil, tries: Int = 3,
    seed: UInt64 = 1
  ) {
    sender = Sender(
      Sender.Settings(
        servers: servers, window: window, answerTime: .seconds(5), heartbeat: heartbeat,
        retry: .seconds(1)...(.seconds(30)), tries: tries), seed: seed, now: now)
  }

  mutating func step() -> Sender.Step? { sender.step(now: now) }
  mutating func pass(_ time: Duration) { now += time }
  /// Moves the clock to when there is something to do.
  mutating func passToDeadline() -> Duration? {
    guard let deadline = sender.deadline else { return nil }
    defer { now = max(now, deadline) }
    return max(.zero, deadline - now)
  }

  mutating func connect() {
    let step = step()
    #expect(step == .connect(server: 0))
    sender.connected(now: now)
  }

  mutating func send(_ count: Int = 1) -> [UInt32] {
    (0..<count).map { _ in sender.sendRecord(now: now) }
  }

  /// How many records these replies are about.
  @discardableResult
  mutating func answer(_ numbers: [UInt32], _ type: MessageType = .acknowledgement) throws(Loss)
    -> Int
  {
    var stored = 0
    for number in numbers {
      if try sender.take(Reply(type, sequence: number), now: now) != nil { stored += 1 }
    }
    return stored
  }

  mutating func lose(_ loss: Loss = .closed) -> Sender.Outlook { sender.lost(loss, now: now) }
}

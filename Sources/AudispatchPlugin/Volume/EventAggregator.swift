public import AuditRecord

/// How many events one stands for, and which are the first and the last of them.
public struct Repetition: Equatable, Sendable {
  /// The one that stands for them included.
  public var count: Int
  public var first: RecordStamp
  public var last: RecordStamp
}

/// Which events become one.
public struct AggregationRules: Equatable, Sendable {
  /// Of so much time, by the events' own; zero: none.
  public var window = Duration.zero
  /// Names of fields that may differ, beside time and serial.
  public var differing: Set<String> = ["pid", "ppid"]

  public init() {}
}

/// Makes events that are alike but for time, process and serial one: the first of them, whole, with
/// how many it stands for.
///
/// Time goes in windows, each of which begins with an event. What becomes one in a window is given
/// out together at its end, and only the last of it has a token that says that anything of the
/// window is done: so after a crash a window comes again whole, and its counts are the same.
public struct EventAggregator: Sendable {
  /// Bytes and kinds of events of a window; with more it ends sooner.
  private static let mostBytes = 4 << 20
  private static let mostKinds = 10_000

  private let rules: AggregationRules
  private var events: [AuditEvent] = []
  private var places: [[UInt8]: Int] = [:]
  private var bytes = 0
  /// When the window began, by its first event.
  private var begin: UInt64 = 0
  private var before = DeliveryToken()
  private var last = DeliveryToken()
  /// Events that another one stands for.
  public private(set) var absorbed = 0

  public init(_ rules: AggregationRules) { self.rules = rules }

  public var isEmpty: Bool { events.isEmpty }

  /// Whether the window is over before that event.
  public func isOver(before event: AuditEvent) -> Bool {
    guard !isEmpty else { return false }
    if bytes >= Self.mostBytes || events.count >= Self.mostKinds { return true }
    let window = UInt64(clamping: Int(rules.window / .milliseconds(1)))
    return event.stamp.milliseconds >= begin &+ window
  }

  /// Takes an event into the window.
  public mutating func take(_ event: AuditEvent) {
    if isEmpty {
      begin = event.stamp.milliseconds
      before = DeliveryToken(place: max(event.token.place, 1) - 1)
    }
    last = max(last, event.token)
    let key = key(of: event)
    guard let place = places[key] else {
      places[key] = events.count
      events.append(event)
      bytes += event.cost + key.count
      return
    }
    absorbed += 1
    var repetition =
      events[place].repetition
      ?? Repetition(count: 1, first: events[place].stamp, last: events[place].stamp)
    repetition.count += 1
    repetition.last = event.stamp
    events[place].repetition = repetition
  }

  /// An event that is in no window is done with those of this one, which is not empty.
  mutating func skip(_ token: DeliveryToken) { last = max(last, token) }

  /// Ends the window: its events, in the order in which they began.
  public mutating func close() -> [AuditEvent] {
    var closed = events
    for place in closed.indices {
      closed[place].token = place == closed.count - 1 ? last : before
    }
    events.removeAll(keepingCapacity: true)
    places.removeAll(keepingCapacity: true)
    bytes = 0
    return closed
  }

  /// What an event is but for what may differ.
  private func key(of event: AuditEvent) -> [UInt8] {
    var key: [UInt8] = event.node.map { Array(event.bytes[$0]) } ?? []
    // A part of an event is not like a whole one.
    key.append(event.isContinuation ? 1 : 0)
    for record in event.records {
      key.append(0x0a)
      key += event.bytes[record.typeName]
      key.append(0x20)
      var at = record.body
      var scanner = FieldScanner(body: record.body, end: record.line.upperBound)
      while let field = scanner.next(event.bytes.span) {
        guard field.section != .enrichment, isDiffering(event.bytes[field.name]),
          field.value.lowerBound >= at
        else { continue }
        key += event.bytes[at..<field.value.lowerBound]
        at = field.value.upperBound
      }
      key += event.bytes[at..<record.line.upperBound]
    }
    return key
  }

  private func isDiffering(_ name: ArraySlice<UInt8>) -> Bool {
    rules.differing.contains { name.elementsEqual($0.utf8) }
  }
}

import AudispatchPlugin
import Linux

/// Lines on their way to a destination, which is opened again when it fails. Waits for nothing.
struct DocumentOutput: ~Copyable {
  private static var chunk: Int { 64 << 10 }
  /// How soon it is asked again what has arrived.
  private static var arrivalTime: Duration { .milliseconds(20) }
  private static var shortestDelay: Duration { .milliseconds(100) }
  private static var longestDelay: Duration { .seconds(30) }

  private var destination: any Destination
  private var lines = LineQueue()
  private let poller: Poller
  private var watched: (descriptor: Int32, interest: Interest)?

  private var isOpen = false
  /// What opening it waits for.
  private var opening: Waiting?
  /// When it is asked what has arrived of what was written.
  private var arrivalAt: Duration?
  private var retryAt = Duration.zero
  private var delay = Self.shortestDelay
  private var said = ""
  /// Lines that have arrived.
  private(set) var written = 0

  init(to destination: any Destination) throws(SystemError) {
    self.destination = destination
    poller = try Poller()
  }

  var name: String { destination.name }
  /// Lines that have not arrived, and their bytes.
  var waiting: Int { lines.lines }
  var held: Int { lines.held }
  /// Whether as much waits as is written together.
  var isReady: Bool { lines.waiting >= Self.chunk }
  /// Readable when it takes more.
  var number: Int32? { watched == nil ? nil : poller.number }
  var deadline: Duration? {
    [waiting > 0 && !isOpen ? opening?.until ?? retryAt : nil, arrivalAt].compactMap { $0 }.min()
  }

  mutating func append(_ prefix: [UInt8], _ document: [UInt8], _ token: DeliveryToken) {
    lines.append(prefix, document, token)
  }

  /// What has no line is done with those before it; `false` when there is none.
  mutating func skip(_ token: DeliveryToken) -> Bool { lines.skip(token) }

  /// What came of going on.
  struct Progress {
    /// Whether anything was taken, or nothing is to be.
    var isMade = false
    /// The last line that has arrived with all before it.
    var token: DeliveryToken?
    var report: (severity: Severity, text: String)?
    /// Why nothing can be taken any more.
    var end: DestinationFailure?
  }

  /// Writes what waits, as far as the destination takes it.
  mutating func advance() -> Progress {
    var progress = Progress()
    do throws(DestinationFailure) {
      try write(&progress)
    } catch {
      if error.isFinal {
        progress.end = error
      } else {
        progress.report = fail(error) ?? progress.report
      }
    }
    return progress
  }

  private mutating func write(_ progress: inout Progress) throws(DestinationFailure) {
    if lines.lines > 0, try !opened() { return }
    while lines.waiting > 0 {
      let count = try destination.write(lines.chunk(Self.chunk))
      lines.wrote(count)
      try takeArrived(&progress)
      guard count > 0 else { return watch(destination.descriptor, .write) }
      progress.isMade = true
    }
    try takeArrived(&progress)
    if lines.lines == 0 { progress.isMade = true }
    watch(nil, .write)
  }

  /// Takes note of the lines that are where they shall be.
  private mutating func takeArrived(_ progress: inout Progress) throws(DestinationFailure) {
    arrivalAt = nil
    guard lines.awaitsArrival else { return }
    try destination.sync()
    let (count, token) = lines.arrive(allBut: try destination.missing())
    written += count
    if lines.awaitsArrival { arrivalAt = MonotonicTime.now + Self.arrivalTime }
    guard let token else { return }
    progress.token = token
    progress.isMade = true
    delay = Self.shortestDelay
    guard !said.isEmpty else { return }
    progress.report = (.notice, "writes to \(destination.name) again")
    said = ""
  }

  private mutating func opened() throws(DestinationFailure) -> Bool {
    if isOpen { return true }
    guard MonotonicTime.now >= retryAt else { return false }
    // What it waits for next may have the same number.
    watch(nil, .write)
    opening = try destination.open()
    if let opening { watch(opening.descriptor, opening.interest) }
    isOpen = opening == nil
    return isOpen
  }

  private mutating func fail(_ failure: DestinationFailure) -> (Severity, String)? {
    let isNews = failure.text != said
    said = failure.text
    leave()
    retryAt = MonotonicTime.now + delay
    delay = min(delay * 2, Self.longestDelay)
    return isNews ? (.error, failure.text) : nil
  }

  /// What has not arrived is for the next one.
  private mutating func leave() {
    watch(nil, .write)
    destination.close()
    isOpen = false
    opening = nil
    arrivalAt = nil
    lines.startOver()
  }

  /// Goes on with another destination, or with the same opened anew.
  mutating func change(to new: any Destination) {
    leave()
    retryAt = .zero
    destination = new
  }

  /// Waits until a descriptor takes or has something.
  private mutating func watch(_ descriptor: Int32?, _ interest: Interest) {
    let isSame = descriptor == watched?.descriptor && interest == watched?.interest
    if isSame || descriptor == nil && watched == nil { return }
    if let old = watched { poller.remove(old.descriptor) }
    if let descriptor { _ = poller.add(descriptor, 0, interest) }
    watched = descriptor.map { ($0, interest) }
  }

  /// Waits, at most that long, until it may go on.
  func wait(atMost time: Duration) {
    let longest = arrivalAt == nil ? .milliseconds(100) : Self.arrivalTime
    let patience = Int32(clamping: Int(min(time, longest) / .milliseconds(1)))
    _ = Poll.wait(poller.number, for: .read, milliseconds: max(patience, 1))
  }

  mutating func close() {
    watch(nil, .write)
    destination.close()
  }
}

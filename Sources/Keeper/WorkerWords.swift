public import Linux

/// What a worker says to its keeper. Both are one executable: the words may change with any version.
public enum WorkerWord: Equatable, Sendable {
  /// A child was started. With both ends of its socket, which stay open until `forget`.
  case keep(UInt64, pid: Int32)
  /// All that is to be known of a child is in the surviving memory.
  case forget(UInt64)
  /// With the configuration that is in force from now on.
  case inForce
  /// The runtime folder is the worker's. With what is locked, which so stays locked.
  case lock(folder: String)
  /// The input is read, and signals are taken.
  case ready
  /// The input was read to its end, and there is no other one yet.
  case drained(isFarewell: Bool)
  /// The next input is read from now on.
  case wentOn
  /// No other input is wanted.
  case stopping
  /// No more input is wanted: a pipe is let go of.
  case release

  public var text: String {
    switch self {
    case .keep(let id, let pid): "keep\0\(id)\0\(pid)"
    case .forget(let id): "forget\0\(id)"
    case .inForce: "in force"
    case .lock(let folder): "lock\0\(folder)"
    case .ready: "ready"
    case .drained(let isFarewell): isFarewell ? "drained\0farewell" : "drained"
    case .wentOn: "went on"
    case .stopping: "stopping"
    case .release: "release"
    }
  }

  public init?(_ text: String) {
    let parts = text.split(separator: "\0", omittingEmptySubsequences: false)
    switch (parts[0], parts.count) {
    case ("keep", 3):
      guard let id = UInt64(parts[1]), let pid = Int32(parts[2]) else { return nil }
      self = .keep(id, pid: pid)
    case ("forget", 2):
      guard let id = UInt64(parts[1]) else { return nil }
      self = .forget(id)
    case ("in force", 1): self = .inForce
    case ("lock", 2): self = .lock(folder: String(parts[1]))
    case ("ready", 1): self = .ready
    case ("drained", 1): self = .drained(isFarewell: false)
    case ("drained", 2) where parts[1] == "farewell": self = .drained(isFarewell: true)
    case ("went on", 1): self = .wentOn
    case ("stopping", 1): self = .stopping
    case ("release", 1): self = .release
    default: return nil
    }
  }
}

/// What a keeper says to its worker.
public enum WordToWorker: Equatable, Sendable {
  /// First. With the surviving memory and, if a predecessor had it, the runtime folder's lock; else, if
  /// the front has taken one, its place among those that wait for the folder.
  case hello(Greeting)
  /// Second. With the configuration that was in force, if there was one.
  case inForce
  /// A child of a dead predecessor has ended. With both ends of its socket.
  case ended(UInt64)
  /// With the keeper's end of the front's link.
  case front
  /// With an input that is to be read behind what is read, and with its front's link.
  case input
  /// The input was let go of.
  case released

  public struct Greeting: Equatable, Sendable {
    /// Deaths in a row by a fault of the worker's own.
    public var crashes: Int
    /// How long the next input is waited for; `nil`: no front brings one.
    public var wait: Duration?
    /// Of whom waits for the runtime folder, in whose order; `nil`: the lock is there, or no place.
    public var place: Moment?
    /// Processes of a dead predecessor's children, by the children's numbers.
    public var children: [UInt64: Int32]
  }

  public var text: String {
    switch self {
    case .hello(let greeting):
      ([
        "hello", "\(greeting.crashes)", greeting.wait.map { "\($0.inNanoseconds)" } ?? "",
        greeting.place.map { "\($0.nanoseconds)" } ?? "",
      ]
        + greeting.children.flatMap { ["\($0.key)", "\($0.value)"] }).joined(separator: "\0")
    case .inForce: "in force"
    case .ended(let id): "ended\0\(id)"
    case .front: "front"
    case .input: "input"
    case .released: "released"
    }
  }

  public init?(_ text: String) {
    let parts = text.split(separator: "\0", omittingEmptySubsequences: false)
    switch (parts[0], parts.count) {
    case ("hello", 4...):
      guard let greeting = Greeting(parts.dropFirst()) else { return nil }
      self = .hello(greeting)
    case ("in force", 1): self = .inForce
    case ("ended", 2):
      guard let id = UInt64(parts[1]) else { return nil }
      self = .ended(id)
    case ("front", 1): self = .front
    case ("input", 1): self = .input
    case ("released", 1): self = .released
    default: return nil
    }
  }
}

extension WordToWorker.Greeting {
  fileprivate init?(_ parts: ArraySlice<Substring>) {
    let words = Array(parts)
    guard let crashes = Int(words[0]), words.count % 2 == 1 else { return nil }
    let times = words[1...2].map { $0.isEmpty ? 0 : Int64($0) }
    guard let wait = times[0], let place = times[1] else { return nil }
    var children: [UInt64: Int32] = [:]
    for place in stride(from: 3, to: words.count, by: 2) {
      guard let id = UInt64(words[place]), let pid = Int32(words[place + 1]) else { return nil }
      children[id] = pid
    }
    self.init(
      crashes: crashes, wait: words[1].isEmpty ? nil : .nanoseconds(wait),
      place: words[2].isEmpty ? nil : Moment(nanoseconds: place), children: children)
  }
}

import Linux

/// What a child writes on its standard output and error: lines for the dispatcher's messages,
/// 20 in 10 seconds at most; how many others there were is said within a second.
struct OutputCatcher: ~Copyable {
  private let pipe: Descriptor
  private var line: [UInt8] = []
  private var windowEnds: Moment?
  private var lines = 0
  private var suppressed = 0
  /// When it is said how many were not shown.
  private(set) var tellAt: Moment?
  /// Until then it is not read, because it prints too much.
  private(set) var restsUntil: Moment?

  init(owning pipe: consuming Descriptor) {
    pipe.setNonblocking(true)
    self.pipe = pipe
  }

  var number: Int32 { pipe.number }

  enum Outcome {
    /// All that was there was read.
    case open
    /// There is more than is read at once: that can wait.
    case flooded
    /// Nothing will follow.
    case ended
  }

  /// How long what floods is left to wait: six megabytes a second are read at the most.
  private static let rest = Duration.milliseconds(10)
  private static let tellWithin = Duration.milliseconds(900)

  /// Reads what is there, 64 KiB at the most; what floods rests then.
  mutating func read(_ now: Moment, _ say: (String) -> Void) -> Outcome {
    let outcome = readWhatIsThere(now, say)
    restsUntil = outcome == .flooded ? now + Self.rest : nil
    return outcome
  }

  /// The rest is over.
  mutating func goOn() { restsUntil = nil }

  private mutating func readWhatIsThere(_ now: Moment, _ say: (String) -> Void) -> Outcome {
    var chunk = [UInt8](repeating: 0, count: 4096)
    for _ in 0..<16 {
      let result = unsafe chunk.withUnsafeMutableBytes {
        unsafe Transfer.read(pipe.number, into: $0)
      }
      switch result {
      case .bytes(let count):
        for byte in chunk[..<count] {
          if byte == 0x0a {
            finishLine(now, say)
          } else {
            line.append(byte)
            if line.count >= 1024 { finishLine(now, say) }
          }
        }
      case .wouldBlock: return .open
      case .end, .failed:
        if !line.isEmpty { finishLine(now, say) }
        sayWhatWasSuppressed(say)
        return .ended
      }
    }
    return .flooded
  }

  private mutating func finishLine(_ now: Moment, _ say: (String) -> Void) {
    defer { line.removeAll(keepingCapacity: true) }
    if windowEnds.map({ now >= $0 }) ?? true {
      sayWhatWasSuppressed(say)
      windowEnds = now + .seconds(10)
      lines = 0
    }
    lines += 1
    if lines > 20 {
      suppressed += 1
      if tellAt == nil { tellAt = now + Self.tellWithin }
    } else if !line.isEmpty {
      say(printable(line))
    }
  }

  /// Says how many lines were not shown, once it is time.
  mutating func tell(_ now: Moment, _ say: (String) -> Void) {
    if let tellAt, now >= tellAt { sayWhatWasSuppressed(say) }
  }

  private mutating func sayWhatWasSuppressed(_ say: (String) -> Void) {
    if suppressed > 0 {
      say("(\(suppressed) more line\(suppressed == 1 ? " was" : "s were") not shown)")
    }
    suppressed = 0
    tellAt = nil
  }
}

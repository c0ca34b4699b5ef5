extension RecordReader {
  /// A reader's state in numbers, for whoever goes on where another process has stopped. What they
  /// mean is part of the layout of the surviving memory.
  public struct Kept: Equatable, Sendable {
    /// From the lowest bit: two of state, two of framing, and one each for a line that is passed over,
    /// fixed framing that is likely, a newline before, and a probe that is under way.
    public var flags: UInt64
    public var padding: UInt64
    public var probe: Int64

    public init(flags: UInt64, padding: UInt64, probe: Int64) {
      self.flags = flags
      self.padding = padding
      self.probe = probe
    }
  }

  private enum Flag {
    static let framing: UInt64 = 2
    static let skipsLine: UInt64 = 4
    static let seemsFixed: UInt64 = 5
    static let previousWasNewline: UInt64 = 6
    static let isProbing: UInt64 = 7
  }

  public var kept: Kept {
    func bit(_ isSet: Bool, _ place: UInt64) -> UInt64 { isSet ? 1 << place : 0 }
    let flags =
      UInt64(state.rawValue) | UInt64(framing.rawValue) << Flag.framing
      | bit(skipsLine, Flag.skipsLine) | bit(seemsFixed, Flag.seemsFixed)
      | bit(previousWasNewline, Flag.previousWasNewline)
      | bit(framingProbe != nil, Flag.isProbing)
    return Kept(flags: flags, padding: UInt64(padding), probe: Int64(framingProbe ?? 0))
  }

  /// A reader that goes on from there; numbers that no reader gives are those of one that has seen
  /// nothing.
  public init(_ kept: Kept) {
    func bit(_ place: UInt64) -> Bool { kept.flags >> place & 1 == 1 }
    self.init()
    guard let framing = Framing(rawValue: UInt8(kept.flags >> Flag.framing & 3)),
      let state = State(rawValue: UInt8(kept.flags & 3)), kept.flags >> 8 == 0,
      kept.padding <= UInt64(Int32.max), let probe = Int32(exactly: kept.probe)
    else { return }
    self.framing = framing
    self.state = state
    padding = Int(kept.padding)
    framingProbe = bit(Flag.isProbing) ? Int(probe) : nil
    skipsLine = bit(Flag.skipsLine)
    seemsFixed = bit(Flag.seemsFixed)
    previousWasNewline = bit(Flag.previousWasNewline)
  }
}

/// What a plugin's socket is offered at once.
public struct StreamOffer {
  var run: Run
  /// Whether its things are records of the queue, and no announcement or repetition.
  let isQueued: Bool
  let encoding: Encoding

  /// Records, announcements or repetitions that end in the bytes.
  public var count: Int { run.count }

  /// Notes each of its things as twice the bytes that it takes in the stream, plus one for a record of
  /// the queue.
  ///
  /// - Parameters:
  ///   - tape: a ring of so many places, a power of two.
  ///   - number: of its first thing, which goes to that place, modulo their count.
  @inline(__always)
  public func note(on tape: UnsafeMutablePointer<UInt16>, of places: Int, from number: ThingNumber)
  {
    let mask = places - 1
    let mark: UInt16 = isQueued ? 1 : 0
    var place = Int(truncatingIfNeeded: number.value)
    // A line has 16 KiB at the most, and what is put before it less than 300 bytes.
    func note(_ size: UInt16) {
      unsafe tape[place & mask] = size << 1 | mark
      place &+= 1
    }
    if case .string = encoding {
      return run.segment.eachTextLength(run.start..<run.end, note)
    }
    for index in run.start..<run.end {
      note(UInt16(encoding.size(run.segment, run.segment[index])))
    }
  }
}

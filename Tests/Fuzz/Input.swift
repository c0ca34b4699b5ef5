/// A fuzzer's input: a few bytes that choose how, and the bytes to be read.
struct Input {
  /// Every choice that the target makes comes from here, so that an input repeats itself.
  private var state: UInt64
  let bytes: ArraySlice<UInt8>

  init(_ data: UnsafePointer<UInt8>?, _ count: Int) {
    let all = Array(unsafe UnsafeBufferPointer(start: data, count: count))
    state = all.prefix(4).reduce(0x9e37_79b9_7f4a_7c15) { $0 << 8 ^ UInt64($1) &* 0x100_0193 }
    bytes = all.dropFirst(4)
  }

  /// A number below `limit`.
  mutating func choice(below limit: Int) -> Int {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Int((state >> 33) % UInt64(limit))
  }

  /// The bytes in pieces, mostly short ones.
  mutating func pieces() -> [ArraySlice<UInt8>] {
    var pieces: [ArraySlice<UInt8>] = []
    var rest = bytes
    while !rest.isEmpty {
      let size = 1 + choice(below: [1, 4, 24, 300, 9000][choice(below: 5)])
      pieces.append(rest.prefix(size))
      rest = rest.dropFirst(size)
    }
    return pieces
  }
}

/// Ends the run as a finding.
func require(_ holds: Bool, _ what: @autoclosure () -> String) {
  if !holds { fatalError(what()) }
}

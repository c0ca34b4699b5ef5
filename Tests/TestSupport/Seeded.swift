import Glibc

/// Chance that repeats itself: the same numbers for the same seed, in every run (SplitMix64).
public struct Seeded: RandomNumberGenerator, Sendable {
  private var state: UInt64

  public init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 }

  /// For a test that makes up its input: by `AUDISPATCH_SEED`, else always the same. Says which it
  /// was.
  public init(of test: String) {
    let given = unsafe getenv("AUDISPATCH_SEED").flatMap { unsafe UInt64(String(cString: $0)) }
    let seed = given ?? 1
    print("\(test): AUDISPATCH_SEED=\(seed)")
    self.init(seed)
  }

  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// A number from 0 on.
  public mutating func number(below bound: Int) -> Int { Int.random(in: 0..<bound, using: &self) }
}

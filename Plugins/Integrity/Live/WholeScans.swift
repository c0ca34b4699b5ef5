/// What scans of everything say of what they do not name: that it was as it is known when they began.
/// A value; scans run one behind the other, and several that are asked for may be one.
struct WholeScans {
  private var running: Reading?
  /// Of the last one that has ended.
  private(set) var verified: Reading?

  var areRunning: Bool { running != nil }

  /// One is asked for, with what was read then; where another one runs, that one's stands for both.
  mutating func begin(_ reading: Reading) {
    if running == nil { running = reading }
  }

  /// One has ended. Of one that was asked for while another one ran, that one's is kept.
  mutating func end() {
    verified = running ?? verified
    running = nil
  }
}

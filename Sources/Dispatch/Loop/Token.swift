/// What a readiness refers to: a kind in the upper half, a number in the lower.
enum Token {
  static let source: UInt64 = 1 << 32
  static let signals: UInt64 = 2 << 32
  static let pluginInput: UInt64 = 3 << 32
  static let pluginEnd: UInt64 = 4 << 32
  static let pluginOutput: UInt64 = 5 << 32
  static let control: UInt64 = 6 << 32
  static let client: UInt64 = 7 << 32
  static let helperOutput: UInt64 = 8 << 32
  static let spool: UInt64 = 9 << 32
  static let keeper: UInt64 = 10 << 32
  static let passedOutput: UInt64 = 11 << 32
  static let outputSink: UInt64 = 12 << 32
  static let loading: UInt64 = 13 << 32
  static let receiver: UInt64 = 14 << 32
  static let receiverOutput: UInt64 = 15 << 32
  static let front: UInt64 = 16 << 32
  static let starter: UInt64 = 17 << 32
  static let pluginStart: UInt64 = 18 << 32
  static let straggler: UInt64 = 19 << 32
  static let node: UInt64 = 20 << 32
  static let folder: UInt64 = 21 << 32

  static func kind(_ token: UInt64) -> UInt64 { token & 0xffff_ffff_0000_0000 }
  static func number(_ token: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: token) }
}

/// What ioctl(2) changes of a file, by the numbers of linux/fs.h and linux/fsverity.h. The record of such
/// a call has the descriptor, and names no file.
enum FileRequest: UInt32, CaseIterable, Sendable {
  case setFlags = 0x4008_6602
  /// The same by a program of 32 bits.
  case setFlags32 = 0x4004_6602
  case setFlagsAndProject = 0x401c_5820
  case enableVerity = 0x4080_6685

  /// What is set is asked for by these.
  private static let harmless: Set<UInt32> = [
    0x8008_6601, 0x8004_6601, 0x801c_581f, 0xc004_6686,
  ]

  /// Of a request as the record has it; the kernel looks at 32 bits of it.
  static func effect(of number: UInt64) -> CallEffect {
    let number = UInt32(truncatingIfNeeded: number)
    guard let request = Self(rawValue: number) else { return harmless.contains(number) ? [] : .all }
    return request == .enableVerity ? [.verity, .flags] : .flags
  }
}

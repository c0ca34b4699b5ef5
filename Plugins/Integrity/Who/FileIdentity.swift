import Linux

extension FileIdentity {
  init(_ facts: FileFacts) { self.init(device: facts.device, inode: facts.inode) }

  /// From `inode=271112 dev=fd:01` of a PATH record; the device is in hexadecimal.
  init?(inode: [UInt8], device: [UInt8]) {
    let parts = String(decoding: device, as: UTF8.self).split(separator: ":")
    guard parts.count == 2, let major = UInt64(parts[0], radix: 16), major < 1 << 32,
      let minor = UInt64(parts[1], radix: 16), minor < 1 << 32,
      let number = UInt64(String(decoding: inode, as: UTF8.self))
    else { return nil }
    self.init(device: Self.number(major, minor), inode: number)
  }

  /// As gnu_dev_makedev(3) joins them.
  private static func number(_ major: UInt64, _ minor: UInt64) -> UInt64 {
    (major & 0xfff) << 8 | (major & 0xffff_f000) << 32 | minor & 0xff | (minor & 0xffff_ff00) << 12
  }
}

import AudispatchPlugin
import Linux

/// Attributes as a person reads them, in the words of ls, getfacl, getcap and lsattr.
extension FileState {
  /// The value of one attribute; `nil` where there is none, which is not the same as an empty one.
  func text(of attribute: AttributeSet) -> String? {
    switch attribute {
    case .type: type.rawValue
    case .mode: Self.octal(facts.mode)
    case .user: String(facts.user)
    case .group: String(facts.group)
    case .size: String(facts.size)
    case .modified: Timestamp.text(nanoseconds: facts.modified)
    case .changed: Timestamp.text(nanoseconds: facts.changed)
    case .born: facts.born.map { Timestamp.text(nanoseconds: $0) }
    case .links: String(facts.links)
    case .inode: String(facts.inode)
    case .device: Self.device(facts.device)
    case .special: facts.kind == .device ? Self.device(facts.special) : nil
    case .target: target.map { SafeText.word($0) }
    case .accessControl: Self.accessText(accessList, defaultList)
    case .extended: extended.isEmpty ? nil : extended.map(\.text).joined(separator: ", ")
    case .capabilities: capabilities.map(CapabilityText.text)
    case .label: label.map { SafeText.word($0.last == 0 ? $0.dropLast() : $0[...]) }
    case .flags: flags.map(InodeFlags.text)
    case .sha256: sha256.map(Self.hex)
    case .sha512: sha512.map(Self.hex)
    case .blake2b: blake2b.map(Self.hex)
    case .verity: verity.map(Self.hex)
    default: nil
    }
  }

  static func octal(_ mode: UInt32) -> String {
    let digits = String(mode, radix: 8)
    return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
  }

  static func hex(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(
      decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }

  /// `8:1`, as gnu_dev_makedev(3) joins them.
  private static func device(_ number: UInt64) -> String {
    let major = (number >> 8 & 0xfff) | (number >> 32 & 0xffff_f000)
    let minor = (number & 0xff) | (number >> 12 & 0xffff_ff00)
    return "\(major):\(minor)"
  }

  private static func accessText(_ access: [UInt8]?, _ defaults: [UInt8]?) -> String? {
    let parts = [
      access.map { AccessList.text($0, prefix: "") },
      defaults.map { AccessList.text($0, prefix: "default:") },
    ].compactMap(\.self)
    return parts.isEmpty ? nil : parts.joined(separator: ",")
  }
}

extension FileState.ExtendedAttribute {
  fileprivate var text: String { "\(SafeText.word(name))=\(SafeText.word(value))" }
}

/// POSIX access lists, as the kernel has them in an extended attribute (posix_acl_xattr.h).
enum AccessList {
  /// `user::rw-,user:1000:r--,group::r--,mask::r--,other::---`; in hexadecimal what is none.
  static func text(_ bytes: [UInt8], prefix: String) -> String {
    guard bytes.count >= 4, bytes.count % 8 == 4, bytes[..<4].elementsEqual([2, 0, 0, 0]) else {
      return prefix + "0x" + FileState.hex(bytes)
    }
    return stride(from: 4, to: bytes.count, by: 8).map { at in
      let id = (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[at + 4 + $1]) << UInt32(8 * $1) }
      let permissions = bytes[at + 2]
      let letters = [(4, "r"), (2, "w"), (1, "x")].map { bit, letter in
        permissions & UInt8(bit) != 0 ? letter : "-"
      }.joined()
      let who =
        switch bytes[at] {
        case 0x01: "user:"
        case 0x02: "user:\(id)"
        case 0x04: "group:"
        case 0x08: "group:\(id)"
        case 0x10: "mask:"
        case 0x20: "other:"
        default: "tag\(bytes[at]):\(id)"
        }
      return "\(prefix)\(who):\(letters)"
    }.joined(separator: ",")
  }
}

/// `security.capability` (struct vfs_ns_cap_data of linux/capability.h).
enum CapabilityText {
  /// `cap_net_raw=ep`; in hexadecimal what is none.
  static func text(_ bytes: [UInt8]) -> String {
    func word(_ at: Int) -> UInt64 {
      (0..<4).reduce(0) { $0 | UInt64(bytes[at + $1]) << UInt64(8 * $1) }
    }
    guard bytes.count >= 20, [2, 3].contains(bytes[3]) else { return "0x" + FileState.hex(bytes) }
    let permitted = word(4) | word(12) << 32
    let inheritable = word(8) | word(16) << 32
    let letters = (bytes[0] & 1 != 0 ? "e" : "")
    var parts: [String] = []
    if permitted != 0 { parts.append(names(permitted) + "=" + letters + "p") }
    if inheritable != 0 { parts.append(names(inheritable) + "+i") }
    if bytes[3] == 3, bytes.count >= 24, word(20) != 0 { parts.append("rootid=\(word(20))") }
    return parts.isEmpty ? "=" : parts.joined(separator: " ")
  }

  private static func names(_ set: UInt64) -> String {
    (0..<64).filter { set >> $0 & 1 != 0 }.map { number in
      number < Capabilities.names.count
        ? "cap_" + Capabilities.names[number].lowercased() : String(number)
    }.joined(separator: ",")
  }
}

/// The bits that chattr(1) sets, with its letters (linux/fs.h).
enum InodeFlags {
  private static let letters: [(bit: UInt32, letter: String)] = [
    (0x1, "s"), (0x2, "u"), (0x8, "S"), (0x10_0000, "V"), (0x1_0000, "D"), (0x10, "i"), (0x20, "a"),
    (0x40, "d"), (0x80, "A"), (0x4, "c"), (0x800, "E"), (0x4000, "j"), (0x1000, "I"),
    (0x8000, "t"), (0x2_0000, "T"), (0x8_0000, "e"), (0x80_0000, "C"), (0x200_0000, "x"),
    (0x4000_0000, "F"), (0x1000_0000, "N"), (0x2000_0000, "P"), (0x400, "m"),
  ]

  static func text(_ flags: UInt32) -> String {
    let known = letters.reduce(into: "") { if flags & $1.bit != 0 { $0 += $1.letter } }
    let rest = letters.reduce(flags) { $0 & ~$1.bit }
    return (known.isEmpty ? "-" : known) + (rest == 0 ? "" : "+0x" + String(rest, radix: 16))
  }
}

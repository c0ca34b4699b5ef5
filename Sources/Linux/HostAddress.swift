import Glibc

/// The address of a host, without a port. An IPv4 address that comes in IPv6 form is the IPv4 one.
public struct HostAddress: Hashable, Codable, Sendable {
  /// 4 or 16 of them, the highest first.
  let bytes: [UInt8]

  init(bytes: [UInt8]) {
    let isMapped = bytes.count == 16 && bytes.starts(with: Self.mapped)
    self.bytes = isMapped ? Array(bytes[12...]) : bytes
  }

  private static let mapped = [UInt8](repeating: 0, count: 10) + [0xff, 0xff]

  /// An address in digits; `nil` for a name, or for what is none.
  public init?(_ text: String) {
    var bytes = [UInt8](repeating: 0, count: 16)
    let isSix = text.utf8.contains(UInt8(ascii: ":"))
    let result = unsafe bytes.withUnsafeMutableBytes {
      unsafe inet_pton(isSix ? AF_INET6 : AF_INET, text, $0.baseAddress)
    }
    guard result == 1 else { return nil }
    self.init(bytes: isSix ? bytes : Array(bytes[..<4]))
  }

  /// Where a host may have more than one address of: the first 64 bits of IPv6, all of IPv4.
  public var network: [UInt8] { bytes.count == 4 ? bytes : Array(bytes[..<8]) }

  public var isLoopback: Bool {
    bytes.count == 4 ? bytes[0] == 127 : bytes == [UInt8](repeating: 0, count: 15) + [1]
  }
}

extension HostAddress: CustomStringConvertible {
  public var description: String {
    var text = [CChar](repeating: 0, count: 64)
    let isWritten = unsafe bytes.withUnsafeBytes { address in
      unsafe inet_ntop(
        bytes.count == 4 ? AF_INET : AF_INET6, address.baseAddress!, &text, socklen_t(text.count))
        != nil
    }
    guard isWritten else { return "an address of \(bytes.count) bytes" }
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

/// Addresses that begin alike: `192.0.2.0/24`, `2001:db8::/32`, or one of them without a slash.
public struct AddressRange: Equatable, Codable, Sendable, CustomStringConvertible {
  private let address: HostAddress
  private let bits: Int

  /// `nil` for what is no range, and for one whose address has bits behind those that count.
  public init?(_ text: String) {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard let address = HostAddress(String(parts[0])) else { return nil }
    self.address = address
    let all = address.bytes.count * 8
    guard parts.count == 2 else {
      bits = all
      return
    }
    guard !parts[1].isEmpty, parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }),
      let bits = Int(parts[1]), bits <= all
    else { return nil }
    self.bits = bits
    let rest = (bits..<all).allSatisfy { address.bytes[$0 / 8] & 0x80 >> UInt8($0 % 8) == 0 }
    guard rest else { return nil }
  }

  public var description: String { "\(address)/\(bits)" }

  public func contains(_ other: HostAddress) -> Bool {
    guard other.bytes.count == address.bytes.count else { return false }
    for index in other.bytes.indices {
      let counted = min(8, max(0, bits - index * 8))
      let mask = UInt8(truncatingIfNeeded: 0xff00 >> counted)
      if (other.bytes[index] ^ address.bytes[index]) & mask != 0 { return false }
    }
    return true
  }
}

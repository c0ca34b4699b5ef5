/// A socket address as a SOCKADDR record holds it: the bytes of a `struct sockaddr`.
public enum SocketAddress: Equatable, Sendable {
  case path([UInt8])
  case abstract([UInt8])
  case unnamed
  case inet(address: String, port: UInt16)
  case inet6(address: String, port: UInt16)
  case netlink(pid: UInt32)
  /// A family of which nothing more is read.
  case other(family: UInt16)

  /// AF_UNSPEC: no address; connecting to it ends an association.
  public static let unspecified = SocketAddress.other(family: 0)

  /// Names of families by number (`linux/socket.h`).
  public static let families: [String] = [
    "unspec", "unix", "inet", "ax25", "ipx", "appletalk", "netrom", "bridge", "atmpvc", "x25",
    "inet6", "rose", "decnet", "netbeui", "security", "key", "netlink", "packet", "ash", "econet",
    "atmsvc", "rds", "sna", "irda", "pppox", "wanpipe", "llc", "ib", "mpls", "can", "tipc",
    "bluetooth", "iucv", "rxrpc", "isdn", "phonet", "ieee802154", "caif", "alg", "nfc", "vsock",
    "kcm", "qipcrtr", "smc", "xdp", "mctp",
  ]

  /// Reads the bytes, whose family is in the host's order (little-endian); `nil` when too short.
  public init?(_ bytes: [UInt8]) {
    guard bytes.count >= 2 else { return nil }
    let family = UInt16(bytes[0]) | UInt16(bytes[1]) << 8
    let rest = bytes.dropFirst(2)
    switch family {
    case 1:
      if rest.isEmpty {
        self = .unnamed
      } else if rest.first == 0 {
        let name = rest.dropFirst()
        // Zeros inside belong to the name; those at the end are what the caller's structure had room for.
        let end = name.lastIndex { $0 != 0 }
        self = end.map { .abstract(Array(name[...$0])) } ?? .unnamed
      } else {
        self = .path(Self.text(rest))
      }
    case 2:
      guard bytes.count >= 8 else { return nil }
      self = .inet(
        address: bytes[4..<8].map { "\($0)" }.joined(separator: "."), port: Self.port(bytes))
    case 10:
      guard bytes.count >= 24 else { return nil }
      self = .inet6(address: Self.groups(bytes[8..<24]), port: Self.port(bytes))
    case 16:
      guard bytes.count >= 8 else { return nil }
      self = .netlink(pid: bytes[4..<8].reversed().reduce(0) { $0 << 8 | UInt32($1) })
    default: self = .other(family: family)
    }
  }

  /// The address for people; a path's bytes made safe.
  public var text: String {
    switch self {
    case .path(let path): SafeText.word(path)
    case .abstract(let name): "abstract socket " + SafeText.word([UInt8(ascii: "@")] + name)
    case .unnamed: "an unnamed socket"
    case .inet(let address, let port): "\(address) port \(port)"
    case .inet6(let address, let port): "\(address) port \(port)"
    case .netlink(let pid): pid == 0 ? "the kernel (netlink)" : "netlink port \(pid)"
    case .other(let family):
      "an address of family "
        + (Self.families.indices.contains(Int(family)) ? Self.families[Int(family)] : "\(family)")
    }
  }

  private static func text(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
    Array(bytes.prefix { $0 != 0 })
  }

  private static func port(_ bytes: [UInt8]) -> UInt16 { UInt16(bytes[2]) << 8 | UInt16(bytes[3]) }

  /// RFC 5952: lower case, the first longest run of two or more zero groups left out.
  private static func groups(_ bytes: ArraySlice<UInt8>) -> String {
    let bytes = Array(bytes)
    let groups = (0..<8).map { UInt16(bytes[$0 * 2]) << 8 | UInt16(bytes[$0 * 2 + 1]) }
    if groups[..<5].allSatisfy({ $0 == 0 }), groups[5] == 0xffff {
      return "::ffff:" + bytes[12...].map { "\($0)" }.joined(separator: ".")
    }
    var best = 0..<0
    var start = 0
    while start < 8 {
      var end = start
      while end < 8, groups[end] == 0 { end += 1 }
      if end - start > max(best.count, 1) { best = start..<end }
      start = max(end, start + 1)
    }
    func join(_ part: ArraySlice<UInt16>) -> String {
      part.map { String($0, radix: 16) }.joined(separator: ":")
    }
    if best.isEmpty { return join(groups[...]) }
    return join(groups[..<best.lowerBound]) + "::" + join(groups[best.upperBound...])
  }
}

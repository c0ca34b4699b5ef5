/// Addresses of families that few hosts use, by their structures in the kernel's headers.
enum RareSocketFamilies {
  typealias Field = (name: StaticString, value: [UInt8])

  /// - Returns: nothing for an address that is too short, or is of another family.
  static func fields(_ family: Int, _ bytes: [UInt8]) -> [Field] {
    func number(_ name: StaticString, _ value: UInt64) -> Field {
      (name, SocketFields.decimal(value))
    }
    func little(_ at: Int, _ count: Int) -> UInt64 { SocketFamilies.little(bytes, at, count) }
    func big(_ at: Int, _ count: Int) -> UInt64 { SocketFamilies.big(bytes, at, count) }
    func text(_ range: Range<Int>) -> [UInt8] { trimmed(bytes[range]) }
    switch family {
    // linux/ax25.h, linux/netrom.h
    case 3 where bytes.count >= 9, 6 where bytes.count >= 9:
      return [("addr", callSign(bytes[2..<9]))]
    // linux/ipx.h
    case 4 where bytes.count >= 14:
      return [
        ("addr", SocketFamilies.colons(bytes[8..<14])), number("network", big(4, 4)),
        number("port", big(2, 2)),
      ]
    // linux/atalk.h
    case 5 where bytes.count >= 7:
      return [
        ("addr", Array("\(big(4, 2)).\(bytes[6])".utf8)), number("port", UInt64(bytes[2])),
      ]
    // linux/x25.h
    case 9 where bytes.count >= 18: return [("addr", text(2..<18))]
    // linux/rose.h: ten digits, and a call sign
    case 11 where bytes.count >= 14:
      let digits = bytes[2..<7].map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
      return [("addr", Array(digits.utf8)), ("call", callSign(bytes[7..<14]))]
    // linux/llc.h
    case 26 where bytes.count >= 14:
      return [
        ("addr", SocketFamilies.colons(bytes[8..<14])), number("sap", UInt64(bytes[7])),
      ]
    case 30 where bytes.count >= 16: return tipc(bytes)
    case 31: return bluetooth(bytes)
    // net/iucv/af_iucv.h: nodes have no address yet
    case 32 where bytes.count >= 32: return [("addr", text(16..<24)), ("name", text(24..<32))]
    // linux/rxrpc.h, over IPv4 or IPv6
    case 33 where bytes.count >= 16 && little(8, 2) == 2:
      return [
        ("addr", SocketFields.dotted(bytes[12..<16])), number("port", big(10, 2)),
        number("service", little(2, 2)),
      ]
    case 33 where bytes.count >= 32 && little(8, 2) == 10:
      return [
        ("addr", InternetText.version6(Array(bytes[16..<32]))), number("port", big(10, 2)),
        number("service", little(2, 2)),
      ]
    // linux/mISDNif.h
    case 34 where bytes.count >= 6:
      return [number("device", UInt64(bytes[2])), number("channel", UInt64(bytes[3]))]
    // linux/phonet.h
    case 35 where bytes.count >= 5:
      return [
        number("device", UInt64(bytes[3])), number("object", UInt64(bytes[2])),
        number("resource", UInt64(bytes[4])),
      ]
    // net/af_ieee802154.h: a long or a short address in a network
    case 36 where bytes.count >= 18 && little(4, 4) == 3:
      return [("addr", SocketFamilies.colons(bytes[10..<18])), number("network", little(8, 2))]
    case 36 where bytes.count >= 12 && little(4, 4) == 2:
      return [number("addr", little(10, 2)), number("network", little(8, 2))]
    // linux/nfc.h
    case 39 where bytes.count >= 16:
      return [
        number("device", little(4, 4)), number("protocol", little(12, 4)),
        number("target", little(8, 4)),
      ]
    // linux/mctp.h
    case 45 where bytes.count >= 11:
      return [
        number("addr", UInt64(bytes[8])), number("network", little(4, 4)),
        number("type", UInt64(bytes[9])),
      ]
    default: return []
    }
  }

  /// net/bluetooth: the protocols have structures of their own, which their lengths tell apart.
  private static func bluetooth(_ bytes: [UInt8]) -> [Field] {
    func device(_ at: Int) -> [UInt8] {
      SocketFamilies.colons(Array(bytes[at..<at + 6].reversed())[...])
    }
    func number(_ at: Int) -> [UInt8] { SocketFields.decimal(SocketFamilies.little(bytes, at, 2)) }
    switch bytes.count {
    // hci.h
    case 6: return [("channel", number(4)), ("device", number(2))]
    // sco.h
    case 8: return [("addr", device(2))]
    // rfcomm.h
    case 9, 10: return [("addr", device(2)), ("channel", SocketFields.decimal(UInt64(bytes[8])))]
    // l2cap.h
    case 12...14: return [("addr", device(4)), ("psm", number(2))]
    default: return []
    }
  }

  /// linux/tipc.h: a socket's own address, or a service's, or a range of them.
  private static func tipc(_ bytes: [UInt8]) -> [Field] {
    func number(_ at: Int) -> [UInt8] { SocketFields.decimal(SocketFamilies.little(bytes, at, 4)) }
    switch bytes[2] {
    case 1: return [("instance", number(8)), ("last", number(12)), ("service", number(4))]
    case 2: return [("instance", number(8)), ("service", number(4))]
    case 3: return [("addr", number(8)), ("port", number(4))]
    default: return []
    }
  }

  /// Six letters, each one bit to the left, and the number of the station.
  private static func callSign(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
    let station = bytes[bytes.endIndex - 1] >> 1 & 15
    let name = trimmed(bytes.dropLast().map { $0 >> 1 }[...])
    return station > 0 ? name + "-\(station)".utf8 : name
  }

  /// Without the zeros or spaces at the end.
  private static func trimmed(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
    var name = bytes.prefix { $0 != 0 }
    while name.last == 0x20 { name.removeLast() }
    return Array(name)
  }
}

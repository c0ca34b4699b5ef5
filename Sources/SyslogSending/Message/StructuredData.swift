/// What tells messages apart, for programs that need not read the body (RFC 5424, 6.3):
/// `[audit@32473 node="n" type="SYSCALL" time="1763680803.855" serial="724" key="logins" key_2="root"]`.
package enum StructuredData {
  /// - Parameter enterprise: the private enterprise number behind the `@` of the name.
  package static func element(
    enterprise: Int, node: [UInt8]?, type: [UInt8], milliseconds: UInt64, serial: UInt64,
    keys: [[UInt8]]
  ) -> [UInt8] {
    var text = Array("[audit@\(enterprise)".utf8)
    if let node { append("node", node, to: &text) }
    append("type", type, to: &text)
    text += " time=\"".utf8
    text += AuditTime.text(milliseconds).utf8
    text += "\" serial=\"\(serial)\"".utf8
    // Readers such as rsyslog's mmpstrucdata keep the last of a name.
    for (index, key) in keys.prefix(16).enumerated() {
      append(index == 0 ? "key" : "key_\(index + 1)", key.prefix(256), to: &text)
    }
    text.append(UInt8(ascii: "]"))
    return text
  }

  private static func append(
    _ name: String, _ value: some Collection<UInt8>, to text: inout [UInt8]
  ) {
    text.append(0x20)
    text += "\(name)=\"".utf8
    // Valid UTF-8 is asked for; what is none becomes U+FFFD.
    for byte in String(decoding: value, as: UTF8.self).utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "]"): text += [0x5c, byte]
      case 0..<0x20, 0x7f: text.append(UInt8(ascii: "?"))
      default: text.append(byte)
      }
    }
    text.append(UInt8(ascii: "\""))
  }
}

/// The time of an event as its records write it: `1763680803.855`.
package enum AuditTime {
  package static func text(_ milliseconds: UInt64) -> String {
    let rest = String(milliseconds % 1000)
    return "\(milliseconds / 1000)." + String(repeating: "0", count: 3 - rest.count) + rest
  }
}

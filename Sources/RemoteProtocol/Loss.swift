/// Why a connection is of no use any more, or none could be had.
public enum Loss: Error, Equatable, Sendable, CustomStringConvertible {
  /// No address, no connection, or no agreement about TLS.
  case unreachable(String)
  /// The server closed the connection before it said anything, as auditd does with a peer that it
  /// does not want.
  case turnedAway
  case closed
  case broken(String)
  /// No answer for that long.
  case silent(Duration)
  case ending
  /// It cannot store what it gets.
  case refused(MessageType, text: [UInt8])
  case violation(Violation)

  public var description: String {
    switch self {
    case .unreachable(let reason), .broken(let reason): reason
    case .turnedAway:
      "closed the connection before a word: it does not want this host (in its auditd.conf: "
        + "tcp_max_per_addr, tcp_client_ports, use_libwrap)"
    case .closed: "closed the connection"
    case .silent(let time):
      "acknowledged nothing for \(time.components.seconds) s"
    case .ending: "ends"
    case .refused(.diskFull, let text): "cannot store records, its disk is full" + Self.said(text)
    case .refused(.diskError, let text): "cannot store records" + Self.said(text)
    case .refused(let type, let text):
      "refuses records with 0x\(String(type.rawValue, radix: 16))" + Self.said(text)
    case .violation(let violation): "sent \(violation)"
    }
  }

  /// What a server said, as far as it can be shown.
  private static func said(_ text: [UInt8]) -> String {
    let shown = text.prefix(100).filter { $0 >= 0x20 && $0 < 0x7f }
    return shown.isEmpty ? "" : " ('\(String(decoding: shown, as: UTF8.self))')"
  }
}

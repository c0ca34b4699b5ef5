import EventDocument
import SyslogSending

/// ArcSight's Common Event Format, version 0, with the keys, types and lengths of its dictionary.
enum CEFBody {
  static func write(_ event: EventSubject, host: [UInt8], version: String, limit: Int) -> [UInt8] {
    attributes(event, host).write(limit, separator: 0x20) { room in
      head(event, version, room)
    } _: { value, kind, limit, text in
      let value = ReversibleText.cut(
        value, to: limit, keepsEscapes: kind == .sentence, escaping: isControl)
      extend(value, to: &text)
    }
  }

  private static func head(_ event: EventSubject, _ version: String, _ room: Int) -> [UInt8] {
    var text = Array("CEF:0|audispatch|audispatch|\(version)|".utf8)
    header(event.type, to: &text)
    text.append(UInt8(ascii: "|"))
    let end = "|\(event.severity)|rt=\(event.milliseconds) externalId=\(event.serial)"
    let action = event.overview.action.map { [0x20] + MessageCut.prefix($0, 64) } ?? []
    let name = event.type + action
    let left = room == .max ? 512 : max(0, room - text.count - end.utf8.count)
    header(Array(MessageCut.prefix(name, min(left, 512))), to: &text)
    return text + end.utf8
  }

  private static func attributes(_ event: EventSubject, _ host: [UInt8]) -> Attributes {
    var all = Attributes()
    let what = event.overview
    all.add("dvchost", event.node ?? host, atMost: 100)
    all.add("cat", event.types, atMost: 1023)
    all.add("act", what.action, atMost: 63)
    all.add("outcome", event.outcome)
    all.add("reason", what.reason, atMost: 1023)
    let (actor, other) = (what.actor, what.other)
    all.add("suser", actor.name, atMost: 1023)
    all.add("suid", actor.id, atMost: 1023)
    all.add("duser", other.name, atMost: 1023)
    all.add("duid", other.id, atMost: 1023)
    all.add("dpid", number: what.process)
    all.add("dproc", what.executable, atMost: 1023)
    add(what.source, to: &all, ("src", "c6a2", "c6a2Label", "Source IPv6 Address", "spt"))
    all.add("shost", what.sourceHost, atMost: 1023)
    add(what.target, to: &all, ("dst", "c6a3", "c6a3Label", "Destination IPv6 Address", "dpt"))
    all.add("filePath", what.path, atMost: 1023)
    all.add("fileId", what.inode, atMost: 1023)
    all.add("filePermission", what.mode, atMost: 1023)
    let keys = Array(event.keys.joined(separator: [UInt8(ascii: ",")]))
    all.add("cs1", labelled: "cs1Label", "key", keys, atMost: 4000)
    all.add("cs2", labelled: "cs2Label", "command", what.command, atMost: 4000)
    all.add("cs3", labelled: "cs3Label", "cwd", what.folder, atMost: 4000)
    all.add("cs4", labelled: "cs4Label", "tty", what.terminal, atMost: 4000)
    if what.decision != nil {
      all.add("cs5", labelled: "cs5Label", "decision", what.decision, atMost: 4000)
    } else {
      all.add("cs5", labelled: "cs5Label", "group", what.group.name, atMost: 4000)
    }
    all.add("cs6", labelled: "cs6Label", "permissions", what.permissions, atMost: 4000)
    all.add("cn1", labelled: "cn1Label", "session", number: what.session)
    all.add("cn2", labelled: "cn2Label", "gid", number: what.group.id)
    all.add(
      "flexString1", labelled: "flexString1Label", "boundAddress", what.bound?.text, atMost: 1023)
    all.add("msg", sentence: event.summary, atMost: 1023)
    return all
  }

  /// CEF 0 has keys of their own for IPv6.
  private static func add(
    _ end: NetworkEnd?, to all: inout Attributes,
    _ names: (
      four: StaticString, six: StaticString, label: StaticString, text: String, port: StaticString
    )
  ) {
    guard let end else { return }
    switch end.address {
    case .four(let text): all.add(names.four, text)
    case .six(let text):
      all.add(names.six, labelled: names.label, names.text, text, atMost: 1023)
    }
    all.add(names.port, number: end.port.map { Array("\($0)".utf8) })
  }

  private static func header(_ value: [UInt8], to text: inout [UInt8]) {
    for byte in String(decoding: value, as: UTF8.self).utf8 {
      switch byte {
      case UInt8(ascii: "|"), UInt8(ascii: "\\"): text += [0x5c, byte]
      case 0..<0x20, 0x7f: text.append(0x20)
      default: text.append(byte)
      }
    }
  }

  /// Control characters that CEF has no escape for.
  private static func isControl(_ byte: UInt8) -> Bool {
    byte < 0x20 && byte != 0x0a && byte != 0x0d || byte == 0x7f
  }

  private static func extend(_ value: [UInt8], to text: inout [UInt8]) {
    for byte in value {
      switch byte {
      case UInt8(ascii: "="), UInt8(ascii: "\\"): text += [0x5c, byte]
      case 0x0a: text += [0x5c, UInt8(ascii: "n")]
      case 0x0d: text += [0x5c, UInt8(ascii: "r")]
      default: text.append(byte)
      }
    }
  }
}

extension NetworkEnd {
  /// `192.0.2.1:80`, `[2001:db8::1]:80`.
  var text: [UInt8] {
    let end = port.map { Array(":\($0)".utf8) } ?? []
    switch address {
    case .four(let text): return text + end
    case .six(let text): return [UInt8(ascii: "[")] + text + [UInt8(ascii: "]")] + end
    }
  }
}

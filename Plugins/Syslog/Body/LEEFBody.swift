/// QRadar's Log Event Extended Format, version 2.0, with a delimiter between the attributes that
/// its header names.
///
/// The format has no escapes: what would end a value, or a line, is `\xNN` (see `ReversibleText`).
enum LEEFBody {
  static let tab: UInt8 = 0x09

  static func write(
    _ event: EventOverview, host: [UInt8], version: String, delimiter: UInt8 = tab, limit: Int
  ) -> [UInt8] {
    attributes(event, host).write(limit, separator: delimiter) { room in
      head(event, version, delimiter, room)
    } _: { value, kind, limit, text in
      text += ReversibleText.cut(value, to: limit, keepsEscapes: kind == .sentence) { byte in
        byte == delimiter || byte < 0x20 || byte == 0x7f
      }
    }
  }

  private static func head(
    _ event: EventOverview, _ version: String, _ delimiter: UInt8, _ room: Int
  ) -> [UInt8] {
    var text = Array("LEEF:2.0|audispatch|audispatch|\(version)|".utf8)
    let name = delimiter == tab ? Array("x09".utf8) : [delimiter]
    let end = [UInt8(ascii: "|")] + name + Array("|devTime=\(event.milliseconds)".utf8)
    let left = room == .max ? Int.max : max(0, room - text.count - end.count)
    let type = String(decoding: MessageCut.prefix(event.type, left), as: UTF8.self).utf8
    text += type.map { $0 == UInt8(ascii: "|") || $0 <= 0x20 ? UInt8(ascii: "_") : $0 }
    return text + end
  }

  private static func attributes(_ event: EventOverview, _ host: [UInt8]) -> Attributes {
    var all = Attributes()
    all.add("sev", Array("\(max(1, event.severity))".utf8))
    all.add("cat", event.types)
    all.add("serial", Array("\(event.serial)".utf8))
    all.add("identHostName", event.node ?? host)
    all.add("action", event.action)
    all.add("outcome", event.succeeded.map { Array(($0 ? "success" : "failure").utf8) })
    all.add("reason", event.reason)
    all.add("usrName", event.actor.name)
    all.add("auid", number: event.loginID)
    all.add("uid", number: event.userID)
    all.add("accountName", event.account)
    all.add("accountId", number: event.accountID)
    all.add("groupName", event.group)
    all.add("groupId", number: event.groupID)
    all.add("pid", number: event.process)
    all.add("exe", event.executable)
    all.add("ses", number: event.session)
    all.add("tty", event.terminal)
    all.add("src", event.source?.address.text)
    all.add("srcPort", number: event.source?.port.map { Array("\($0)".utf8) })
    all.add("srcHost", event.sourceHost)
    all.add("dst", event.target?.address.text)
    all.add("dstPort", number: event.target?.port.map { Array("\($0)".utf8) })
    all.add("boundAddress", event.bound?.text)
    all.add("resource", event.path)
    all.add("command", event.command)
    all.add("cwd", event.folder)
    all.add("decision", event.decision)
    all.add("permissions", event.permissions)
    all.add("policy", Array(event.keys.joined(separator: [UInt8(ascii: ",")])))
    all.add("msg", sentence: event.summary)
    return all
  }
}

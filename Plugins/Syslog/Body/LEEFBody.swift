import EventDocument
import SyslogSending

/// QRadar's Log Event Extended Format, version 2.0, with a delimiter between the attributes that
/// its header names.
///
/// The format has no escapes: what would end a value, or a line, is `\xNN` (see `ReversibleText`).
enum LEEFBody {
  static let tab: UInt8 = 0x09

  static func write(
    _ event: EventSubject, host: [UInt8], version: String, delimiter: UInt8 = tab, limit: Int
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
    _ event: EventSubject, _ version: String, _ delimiter: UInt8, _ room: Int
  ) -> [UInt8] {
    var text = Array("LEEF:2.0|audispatch|audispatch|\(version)|".utf8)
    let name = delimiter == tab ? Array("x09".utf8) : [delimiter]
    let end = [UInt8(ascii: "|")] + name + Array("|devTime=\(event.milliseconds)".utf8)
    let left = room == .max ? Int.max : max(0, room - text.count - end.count)
    let type = String(decoding: MessageCut.prefix(event.type, left), as: UTF8.self).utf8
    text += type.map { $0 == UInt8(ascii: "|") || $0 <= 0x20 ? UInt8(ascii: "_") : $0 }
    return text + end
  }

  private static func attributes(_ event: EventSubject, _ host: [UInt8]) -> Attributes {
    var all = Attributes()
    let what = event.overview
    all.add("sev", Array("\(max(1, event.severity))".utf8))
    all.add("cat", event.types)
    all.add("serial", Array("\(event.serial)".utf8))
    all.add("identHostName", event.node ?? host)
    all.add("action", what.action)
    all.add("outcome", event.outcome)
    all.add("reason", what.reason)
    all.add("usrName", what.actor.name)
    all.add("auid", number: what.login.id)
    all.add("uid", number: what.user.id)
    all.add("accountName", what.account.name)
    all.add("accountId", number: what.account.id)
    all.add("groupName", what.group.name)
    all.add("groupId", number: what.group.id)
    all.add("pid", number: what.process)
    all.add("exe", what.executable)
    all.add("ses", number: what.session)
    all.add("tty", what.terminal)
    all.add("src", what.source?.address.text)
    all.add("srcPort", number: what.source?.port.map { Array("\($0)".utf8) })
    all.add("srcHost", what.sourceHost)
    all.add("dst", what.target?.address.text)
    all.add("dstPort", number: what.target?.port.map { Array("\($0)".utf8) })
    all.add("boundAddress", what.bound?.text)
    all.add("resource", what.path)
    all.add("command", what.command)
    all.add("cwd", what.folder)
    all.add("decision", what.decision)
    all.add("permissions", what.permissions)
    all.add("policy", Array(event.keys.joined(separator: [UInt8(ascii: ",")])))
    all.add("msg", sentence: event.summary)
    return all
  }
}

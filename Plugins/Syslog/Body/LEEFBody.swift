/// QRadar's Log Event Extended Format, version 2.0, with tabs between the attributes.
enum LEEFBody {
  static func write(_ event: EventOverview, host: [UInt8], version: String, limit: Int) -> [UInt8] {
    ValueLimits.fit(limit) { write(event, host, version, valuesTo: $0) }
  }

  private static func write(
    _ event: EventOverview, _ host: [UInt8], _ version: String, valuesTo limit: Int
  ) -> [UInt8] {
    var text = Array("LEEF:2.0|audispatch|audispatch|\(version)|".utf8)
    let type = String(decoding: event.type, as: UTF8.self).utf8
    text += type.map { $0 == UInt8(ascii: "|") || $0 <= 0x20 ? UInt8(ascii: "_") : $0 }
    text += "|x09|devTime=\(event.milliseconds)".utf8
    func add(_ name: StaticString, _ value: [UInt8]?) {
      guard let value, !value.isEmpty else { return }
      text += "\t\(name)=".utf8
      let cut = MessageCut.cut(value, to: limit)
      text += String(decoding: cut, as: UTF8.self).utf8.map { $0 < 0x20 || $0 == 0x7f ? 0x20 : $0 }
    }
    add("sev", Array("\(max(1, event.severity))".utf8))
    add("cat", event.types)
    add("serial", Array("\(event.serial)".utf8))
    add("identHostName", event.node ?? host)
    add("action", event.action)
    add("outcome", event.succeeded.map { Array(($0 ? "success" : "failure").utf8) })
    add("reason", event.reason)
    add("usrName", event.loginUser ?? event.account ?? event.user)
    add("auid", event.loginID)
    add("uid", event.userID)
    add("accountName", event.account)
    add("pid", event.process)
    add("exe", event.executable)
    add("ses", event.session)
    add("tty", event.terminal)
    add("src", event.sourceAddress)
    add("dst", event.targetAddress)
    add("dstPort", event.targetPort.map { Array("\($0)".utf8) })
    add("resource", event.path)
    add("command", event.command)
    add("cwd", event.folder)
    add("policy", event.keys.isEmpty ? nil : Array(event.keys.joined(separator: [0x2c])))
    add("msg", event.summary)
    return text
  }
}

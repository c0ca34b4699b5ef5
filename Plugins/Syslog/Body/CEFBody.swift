/// ArcSight's Common Event Format, version 0.
enum CEFBody {
  static func write(_ event: EventOverview, host: [UInt8], version: String, limit: Int) -> [UInt8] {
    ValueLimits.fit(limit) { write(event, host, version, valuesTo: $0) }
  }

  private static func write(
    _ event: EventOverview, _ host: [UInt8], _ version: String, valuesTo limit: Int
  ) -> [UInt8] {
    var text = Array("CEF:0|audispatch|audispatch|\(version)|".utf8)
    header(event.type, to: &text)
    text.append(UInt8(ascii: "|"))
    header(
      event.type + (event.action.map { [0x20] + MessageCut.prefix($0, 64) } ?? []), to: &text)
    text += "|\(event.severity)|rt=\(event.milliseconds) externalId=\(event.serial)".utf8
    func add(_ name: StaticString, _ value: [UInt8]?) {
      guard let value, !value.isEmpty else { return }
      text += " \(name)=".utf8
      extend(MessageCut.cut(value, to: limit), to: &text)
    }
    func add(_ name: StaticString, _ label: StaticString, _ value: [UInt8]?) {
      guard let value, !value.isEmpty else { return }
      text += " \(name)Label=\(label)".utf8
      add(name, value)
    }
    add("dvchost", event.node ?? host)
    add("cat", event.types)
    add("act", event.action)
    add("outcome", event.succeeded.map { Array(($0 ? "success" : "failure").utf8) })
    add("reason", event.reason)
    add("suser", event.loginUser)
    add("suid", event.loginID)
    add("duser", event.account ?? event.user)
    add("duid", event.userID)
    add("dpid", event.process)
    add("dproc", event.executable)
    add("src", event.sourceAddress)
    add("shost", event.sourceHost)
    add("dst", event.targetAddress)
    add("dpt", event.targetPort.map { Array("\($0)".utf8) })
    add("filePath", event.path)
    add("fileId", event.inode)
    add("filePermission", event.mode)
    add("cs1", "key", event.keys.isEmpty ? nil : Array(event.keys.joined(separator: [0x2c])))
    add("cs2", "command", event.command)
    add("cs3", "cwd", event.folder)
    add("cs4", "tty", event.terminal)
    add("cn1", "session", event.session)
    add("msg", event.summary)
    return text
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

  private static func extend(_ value: [UInt8], to text: inout [UInt8]) {
    for byte in String(decoding: value, as: UTF8.self).utf8 {
      switch byte {
      case UInt8(ascii: "="), UInt8(ascii: "\\"): text += [0x5c, byte]
      case 0x0a: text += [0x5c, UInt8(ascii: "n")]
      case 0x0d: text += [0x5c, UInt8(ascii: "r")]
      case 0..<0x20, 0x7f: text.append(0x20)
      default: text.append(byte)
      }
    }
  }
}

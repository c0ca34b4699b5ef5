import AudispatchPlugin
import AuditRecord
import Linux

/// Finds the script that an interpreter was started for: the kernel looks up the script first, and
/// then executes something else.
enum ScriptFinder {
  /// The script's absolute path; empty for none.
  ///
  /// - Parameter source: where it can be seen which file the executable is; without one, what the
  ///   records say has to do.
  static func script(
    of event: AuditEvent, _ facts: ProcessEvent, _ source: (any ProcessSource)?
  ) -> [UInt8] {
    guard let path = facts.firstPath, let executable = facts.executable,
      !isExecutable(path, executable, event, facts), let name = event.value("name", of: path),
      !name.isEmpty
    else { return [] }
    let absolute = Self.absolute(name, event, facts)
    let program =
      facts.isExecutableQuoted
      ? Array(event.bytes[executable]) : Hex.decode(event.bytes[executable]) ?? []
    guard absolute != program else { return [] }
    if let inode = event.value("inode", of: path).flatMap({ ProcessEvent.number($0) }),
      let device = event.value("dev", of: path).flatMap(Self.device),
      let file = source?.file(program, seenBy: facts.pid)
    {
      return file == FileIdentity(device: device, inode: UInt64(clamping: inode)) ? [] : absolute
    }
    // Of a script there is one path more: itself, the interpreter, and the loader of that.
    return isScriptByArguments(event, absolute, name) ? absolute : []
  }

  /// Whether the kernel looked up the executable itself, as the records show without being decoded.
  private static func isExecutable(
    _ path: EventRecord, _ executable: Range<Int>, _ event: AuditEvent, _ facts: ProcessEvent
  ) -> Bool {
    guard facts.isExecutableQuoted, let name = event.field("name", of: path),
      name.quoting == .double, let first = name.value.first, event.bytes[first] == 0x2f
    else { return false }
    let bytes = event.bytes.span
    return bytes.extracting(name.value).isSame(as: bytes.extracting(executable))
  }

  /// Whether the interpreter's arguments have the script, as the kernel puts it there.
  private static func isScriptByArguments(
    _ event: AuditEvent, _ absolute: [UInt8], _ name: [UInt8]
  ) -> Bool {
    guard let arguments = event.arguments(), arguments.count >= 2 else { return false }
    let paths = event.records.count { $0.type.rawValue == 1302 }
    return paths >= 3 && arguments.dropFirst().prefix(2).contains { $0 == name || $0 == absolute }
  }

  private static func absolute(
    _ name: [UInt8], _ event: AuditEvent, _ facts: ProcessEvent
  ) -> [UInt8] {
    guard name.first != 0x2f, let record = facts.directory,
      var folder = event.value("cwd", of: record)
    else { return name }
    var rest = name[...]
    while rest.starts(with: "./".utf8) { rest = rest.dropFirst(2) }
    if folder.last != 0x2f { folder.append(0x2f) }
    return folder + rest
  }

  /// `fe:00` as the number that stat gives.
  private static func device(_ text: [UInt8]) -> UInt64? {
    let parts = text.split(separator: 0x3a)
    guard parts.count == 2,
      let major = UInt64(String(decoding: parts[0], as: UTF8.self), radix: 16),
      let minor = UInt64(String(decoding: parts[1], as: UTF8.self), radix: 16)
    else { return nil }
    return (major & 0xfff) << 8 | (minor & 0xff) | (minor & ~0xff) << 12
      | (major & ~0xfff) << 32
  }
}

import AudispatchPlugin
import AuditRecord
import CAudit

/// Names for numbers as Laurel adds them where it is told to: `ARCH`, `SYSCALL` and `SADDR`
/// (`universal`), and those of users and groups (`user-db`).
enum LaurelTranslation {
  static func writeCall(
    _ record: EventRecord, _ bytes: [UInt8], _ out: inout DocumentBytes
  ) {
    var scanner = LaurelScanner(record)
    var machine: UInt32?
    var number: Int?
    while let field = scanner.next(bytes.span), !field.isAdded {
      let value = bytes[field.value.range]
      if field.key == NameKey("arch") {
        machine = UInt32(String(decoding: value.prefix(9), as: UTF8.self), radix: 16)
      } else if field.key == NameKey("syscall") {
        number = Int(String(decoding: value.prefix(9), as: UTF8.self))
      }
    }
    guard let machine, !hasMeaning("ARCH", record, bytes) else { return }
    let known = audit_elf_to_machine(machine)
    guard known >= 0, let name = unsafe audit_machine_to_name(known) else { return }
    out.key("ARCH")
    out.string(Array(unsafe String(cString: name).utf8)[...])
    guard let number, !hasMeaning("SYSCALL", record, bytes),
      let call = SystemCallName.name(number, arch: machine)
    else { return }
    out.key("SYSCALL")
    out.string(Array(call.utf8)[...])
  }

  private static func hasMeaning(
    _ name: StaticString, _ record: EventRecord, _ bytes: [UInt8]
  ) -> Bool {
    var scanner = LaurelScanner(record)
    while let field = scanner.next(bytes.span) {
      if field.isAdded, bytes.span.isName(field.name.range, name) { return true }
    }
    return false
  }

  /// Whether a field is a socket address, `true`, or what auditd made of it, `false`.
  static func isAddress(_ name: ArraySlice<UInt8>) -> Bool? {
    if name.elementsEqual("saddr".utf8) { return true }
    return name.elementsEqual("SADDR".utf8) ? false : nil
  }

  /// Whether the last of the fields that are socket addresses can be taken apart.
  static func hasAddress(_ fields: LaurelFields, _ bytes: [UInt8]) -> Bool {
    var out = DocumentBytes(.percent)
    return fields.all.last { isAddress(bytes[$0.name.range]) == true }
      .map { writeAddress(bytes[$0.value.range], &out) } ?? false
  }

  /// Writes an address by its parts, in the place of its bytes; `false` for one that is of another
  /// family, or shorter than its family's.
  static func writeAddress(_ digits: ArraySlice<UInt8>, _ out: inout DocumentBytes) -> Bool {
    guard let address = Hex.decode(digits), address.count >= 2 else { return false }
    func low(_ at: Int) -> Int {
      (0..<4).reduce(0) { $0 | Int(address[at + $1]) << (8 * $1) }
    }
    func high(_ at: Int, _ count: Int) -> Int {
      (0..<count).reduce(0) { $0 << 8 | Int(address[at + $1]) }
    }
    switch (Int(address[0]) | Int(address[1]) << 8, address.count) {
    case (1, 110...):
      begin("local", &out)
      let name = address[2...]
      out.key("path")
      out.string((name.first == 0 ? name.dropFirst() : name).prefix { $0 != 0 })
    case (2, 16...):
      begin("inet", &out)
      out.key("addr")
      out.string(SocketFields.dotted(address[4..<8])[...])
      out.key("port")
      out.integer(high(2, 2))
    case (10, 28...):
      begin("inet6", &out)
      out.key("addr")
      out.string(InternetText.version6(Array(address[8..<24]))[...])
      out.key("port")
      out.integer(high(2, 2))
      out.key("flowinfo")
      out.integer(high(4, 4))
      out.key("scope_id")
      out.integer(low(24))
    case (16, 12...):
      begin("netlink", &out)
      out.key("pid")
      out.integer(low(4))
      out.key("groups")
      out.string(Array("0x\(String(low(8), radix: 16))".utf8)[...])
    case (40, 16...):
      begin("vsock", &out)
      out.key("cid")
      out.integer(low(8))
      out.key("port")
      out.integer(low(4))
    default: return false
    }
    out.endObject()
    return true
  }

  private static func begin(_ family: StaticString, _ out: inout DocumentBytes) {
    out.object("SADDR")
    out.key("saddr_fam")
    out.string(family)
  }

  /// Names of users and groups: of each field that ends with `uid` or `gid`, in upper case.
  static func writeUsers(
    _ fields: LaurelFields, _ bytes: [UInt8], _ accounts: inout AccountCache,
    _ out: inout DocumentBytes
  ) {
    var written: [[UInt8]] = []
    for field in fields.all
    where !field.isLeftOut && !field.isAdded && field.quoting == .none && field.name.count >= 3 {
      let end = Int(field.name.end)
      let isUser = bytes.span.has("uid", at: end - 3)
      guard isUser || bytes.span.has("gid", at: end - 3),
        written.count < min(out.itemLimit, 256),
        let number = Int(String(decoding: bytes[field.value.range].prefix(20), as: UTF8.self))
      else { continue }
      let name = bytes[field.name.range].map { $0 &- 0x61 < 26 ? $0 - 0x20 : $0 }
      guard !written.contains(name),
        !fields.all.contains(where: { bytes[$0.name.range].elementsEqual(name) })
      else { continue }
      written.append(name)
      out.key(name)
      if number == 0xffff_ffff {
        out.string("unset")
      } else if let id = UInt32(exactly: number),
        let found = isUser ? accounts.user(id) : accounts.group(id)
      {
        out.string(found[...])
      } else {
        out.string(Array("unknown(\(number))".utf8)[...])
      }
    }
  }
}

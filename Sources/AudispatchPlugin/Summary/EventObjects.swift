import AuditRecord

/// To what something was done: the words behind the verb.
extension EventFacts {
  func object(of action: Action) -> String? {
    switch action.object {
    case .none: nil
    case .command: command
    case .path: path
    case .mode: mode
    case .owner: owner
    case .rename: renamed
    case .moved: mount("", "to")
    case .attached: mount("", "on")
    case .bound: mount("of ", "on")
    case .link: linked
    case .address: address
    case .transfer: address ?? argument(0).map { "descriptor \(Int32(truncatingIfNeeded: $0))" }
    case .process: process
    case .numbers: numbers
    case .account: account
    case .group: group
    case .message: message
    case .module: module
    case .mapping: mapping
    case .pair: pair
    case .capabilities: capabilities
    case .named:
      [path, address].compactMap { $0 }.reduce(nil) { all, one in all.map { "\($0) \(one)" } ?? one
      }
    case .fields: fields(action.details, named: false)
    }
  }

  /// Several fields in their words; with their names but for the first.
  ///
  /// - Parameter known: a value that is said already.
  func fields(_ names: [String], named: Bool, known: String? = nil) -> String? {
    var words: [String] = []
    for name in names {
      guard let value = shown(name, of: subject) ?? (name == "op" ? oldOperation : nil),
        value != known || name == "op", value != "?"
      else { continue }
      words.append(words.isEmpty && !named ? value : "\(name)=\(value)")
    }
    return words.isEmpty ? nil : words.joined(separator: " ")
  }

  /// What old senders wrote where `op=` is today: `msg='PAM: authentication acct=…`, and kernels of
  /// the change of a rule, `add rule to list=4`.
  private var oldOperation: String? {
    var scanner = FieldScanner(body: subject.body, end: subject.line.upperBound, words: true)
    while let field = scanner.next(event.bytes.span) {
      if subjectName == "CONFIG_CHANGE" {
        // `by auid=…` is who did it.
        guard field.name.isEmpty, !event.bytes[field.value].elementsEqual("by".utf8) else {
          continue
        }
        return SafeText.cut(Array(event.bytes[field.value]))
      }
      guard field.section == .message else { continue }
      return field.name.isEmpty ? SafeText.cut(Array(event.bytes[field.value])) : nil
    }
    return nil
  }

  private var command: String? {
    if let arguments = event.arguments(), !arguments.isEmpty { return Self.line(arguments) }
    return path
  }

  /// Arguments as one would type them; at most some 512 bytes of them.
  static func line(_ arguments: [[UInt8]]) -> String {
    var words: [String] = []
    var length = 0
    for (index, argument) in arguments.enumerated() {
      guard length < 512 else {
        words.append("…[+\(arguments.count - index) arguments]")
        break
      }
      words.append(SafeText.cut(argument, at: 128))
      length += words[words.count - 1].utf8.count + 1
    }
    return words.joined(separator: " ")
  }

  /// The name of what was called: auditd's, else libaudit's, else its number.
  var systemCallName: String? {
    guard let record = call else { return nil }
    if record.type == .uringOperation { return uringName(record) }
    if let name = event.systemCallName(in: record) {
      guard name == "socketcall", let number = event.value("a0", of: record) else { return name }
      return Self.socketCall(number) ?? name
    }
    return event.field("syscall", of: record).map { number in
      "system call " + String(decoding: event.bytes[number.value].prefix(16), as: UTF8.self)
    }
  }

  /// Which call `socketcall` stands for, by its first argument (`linux/net.h`).
  private static func socketCall(_ number: [UInt8]) -> String? {
    let names = [
      "socket", "bind", "connect", "listen", "accept", "getsockname", "getpeername", "socketpair",
      "send", "recv", "sendto", "recvfrom", "shutdown", "setsockopt", "getsockopt", "sendmsg",
      "recvmsg", "accept4", "recvmmsg", "sendmmsg",
    ]
    guard let number = Int(String(decoding: number.prefix(4), as: UTF8.self), radix: 16),
      names.indices.contains(number - 1)
    else { return nil }
    return names[number - 1]
  }

  private func uringName(_ record: EventRecord) -> String? {
    guard let field = event.field("uring_op", of: record) else { return nil }
    let text = event.bytes[field.value].prefix(16)
    if let number = Digits.value(text), UringOperation.names.indices.contains(number) {
      return UringOperation.names[number]
    }
    return "io_uring operation " + String(decoding: text, as: UTF8.self)
  }

  func argument(_ number: Int) -> UInt64? {
    // Those of a call by way of `socketcall` stand in a record of their own.
    guard let record = call.map({ event.record(.socketCall) ?? $0 }),
      let field = event.field("a\(number)", of: record)
    else {
      return nil
    }
    return UInt64(String(decoding: event.bytes[field.value].prefix(16), as: UTF8.self), radix: 16)
  }

  private var mode: String? {
    let place = systemCallName?.hasPrefix("fchmodat") ?? false ? 2 : 1
    guard let argument = argument(place) else { return path }
    let bits = "to 0" + String(argument & 0o7777, radix: 8)
    return path.map { "\($0) \(bits)" } ?? bits
  }

  private var owner: String? {
    let place = systemCallName == "fchownat" ? 2 : 1
    // -1 leaves it as it is.
    let parts = [(place, "uid"), (place + 1, "gid")].compactMap { place, name in
      argument(place).flatMap {
        isUnchanged($0) ? nil : "\(name) \(UInt32(truncatingIfNeeded: $0))"
      }
    }
    guard !parts.isEmpty else { return path }
    let who = "to " + parts.joined(separator: " ")
    return path.map { "\($0) \(who)" } ?? who
  }

  /// Whether an ID in an argument leaves what there is: -1, of 16 bits in the old calls of machines
  /// of 32 bits (AUDIT_ARCH without its bit for 64), whose new ones end in `32`.
  private func isUnchanged(_ argument: UInt64) -> Bool {
    let number = UInt32(truncatingIfNeeded: argument)
    guard number != .max else { return true }
    guard number == 0xffff, let name = systemCallName, !name.hasSuffix("32"), name != "fchownat",
      let record = call, let arch = event.value("arch", of: record),
      let bits = UInt32(String(decoding: arch.prefix(8), as: UTF8.self), radix: 16)
    else { return false }
    return bits & 0x8000_0000 == 0
  }

  private var module: String? {
    let record = subject.type == .kernelModule ? subject : event.record(.kernelModule)
    return record.flatMap { shown("name", of: $0) } ?? path
  }

  /// The address that goes with a call.
  var socketAddress: SocketAddress? {
    guard let record = event.record(.socketAddress), let field = event.field("saddr", of: record),
      let bytes = Hex.decode(event.bytes[field.value])
    else { return nil }
    return SocketAddress(bytes)
  }

  private var address: String? {
    let address = socketAddress
    // As a path it starts from the working directory.
    if case .path(let path) = address, path.first != UInt8(ascii: "/"), let workingDirectory {
      return SafeText.cut(Self.join(workingDirectory, path))
    }
    return address?.text
  }

  private var numbers: String? {
    let count =
      switch systemCallName {
      case "setresuid", "setresgid", "setresuid32", "setresgid32": 3
      case "setreuid", "setregid", "setreuid32", "setregid32": 2
      default: 1
      }
    let values = (0..<count).compactMap { argument($0) }
    guard !values.isEmpty else { return nil }
    // -1 leaves one of several as it is; as the only one it is a number like others.
    return values.map {
      count > 1 && isUnchanged($0) ? "unchanged" : "\(Int32(truncatingIfNeeded: $0))"
    }
    .joined(separator: " ")
  }

  /// The account that a record is about: by name, by number, or inside the message as `uid=`, where
  /// old senders of USER_LOGIN had it, or as `suid=`, where pam_faillock has it.
  private var account: String? {
    if let name = named("acct") { return name }
    if event.field("id", of: subject) != nil { return user("id", of: subject) }
    var scanner = FieldScanner(body: subject.body, end: subject.line.upperBound)
    while let field = scanner.next(event.bytes.span) {
      guard field.section == .message,
        let name = ["uid", "suid"].first(where: { event.bytes[field.name].elementsEqual($0.utf8) })
      else { continue }
      return account(field, name, of: subject) {
        interpreter.meanings(in: subject, event).last { $0.name == name }?.meaning
      }
    }
    return nil
  }

  /// The group that a record is about: `grp`, newgrp's `new-group` or `new-gid`; ADD_GROUP and
  /// DEL_GROUP of old senders call it `acct`. `id` is a group's in some records only.
  private var group: String? {
    if let name = named("grp") ?? named("new-group") ?? named("new_group") { return name }
    if let group = user("new_gid", of: subject) { return group }
    if let number = named("new-gid") { return "gid \(number)" }
    if let name = named("acct") { return name }
    return AccountFields.isGroup("id", in: subject.type) ? user("id", of: subject) : nil
  }

  private func named(_ field: String) -> String? {
    guard let name = event.value(field, of: subject), !name.elementsEqual("?".utf8) else {
      return nil
    }
    return SafeText.cut(name)
  }

  /// What somebody sent: `text=`, or all of the message up to what libaudit writes behind it.
  private var message: String? {
    if let text = event.value("text", of: subject) { return SafeText.cut(text) }
    let line = event.bytes[subject.body..<subject.line.upperBound]
    let mark = Array("msg='".utf8)
    guard line.count > mark.count,
      let start = (line.startIndex..<line.endIndex - mark.count).first(where: {
        line[$0...].starts(with: mark)
      })
    else { return nil }
    var text = line[(start + mark.count)...].prefix { $0 != 0x1d }
    if let exe = text.indices.last(where: { text[$0...].starts(with: " exe=".utf8) }) {
      text = text[..<exe]
    } else if let quote = text.lastIndex(of: UInt8(ascii: "'")) {
      text = text[..<quote]
    }
    return text.isEmpty ? nil : SafeText.cut(Array(text))
  }

  private var mapping: String? {
    guard let record = event.record(.memoryMap) else { return "memory" }
    let file = shown("fd", of: record).map { "descriptor \($0)" } ?? "memory"
    let flags = [
      call.flatMap { interpreter.meaning(of: "a2", in: $0, event) },
      interpreter.meaning(of: "flags", in: record, event),
    ].compactMap { $0.map { SafeText.word($0.utf8) } }
    return flags.isEmpty ? file : "\(file) (\(flags.joined(separator: ", ")))"
  }

  private var pair: String? {
    guard let record = event.record(.descriptorPair), let first = shown("fd0", of: record),
      let second = shown("fd1", of: record)
    else { return nil }
    return "(descriptors \(first) and \(second))"
  }

  private var capabilities: String? {
    guard let record = event.record(.capabilitySet),
      let effective = event.value("cap_pe", of: record)
    else { return nil }
    // Of many the number is shorter.
    if let names = interpreter.meaning(of: "cap_pe", in: record, event),
      names.utf8.count(where: { $0 == UInt8(ascii: ",") }) < 8
    {
      return "to " + SafeText.word(names.utf8)
    }
    return "to " + SafeText.word(effective)
  }
}

extension RecordType {
  static let workingDirectory = RecordType(rawValue: 1307)
  static let socketCall = RecordType(rawValue: 1304)
  static let socketAddress = RecordType(rawValue: 1306)
  static let descriptorPair = RecordType(rawValue: 1317)
  static let objectProcess = RecordType(rawValue: 1318)
  static let capabilitySet = RecordType(rawValue: 1322)
  static let memoryMap = RecordType(rawValue: 1323)
  static let kernelModule = RecordType(rawValue: 1330)
  static let landlockAccess = RecordType(rawValue: 1423)
  static let landlockDomain = RecordType(rawValue: 1424)
  static let uringOperation = RecordType(rawValue: 1336)
}

import AuditRecord

/// To what something was done: the words behind the verb.
extension EventFacts {
  func object(of action: Action) -> String? {
    switch action.object {
    case .none: nil
    case .command: command
    case .path: path
    case .rename: pathPair(joined: " to ", newFirst: false)
    case .link: pathPair(joined: " to ", newFirst: true)
    case .address: address
    case .process: process
    case .numbers: numbers
    case .account: account
    case .mapping: mapping
    case .pair: pair
    case .capabilities: capabilities
    case .fields: fields(action.details, named: false)
    }
  }

  /// Several fields in their words; with their names but for the first.
  func fields(_ names: [String], named: Bool) -> String? {
    var words: [String] = []
    for name in names {
      guard let value = shown(name, of: subject) else { continue }
      words.append(words.isEmpty && !named ? value : "\(name)=\(value)")
    }
    return words.isEmpty ? nil : words.joined(separator: " ")
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

  private struct Path {
    var name: [UInt8]
    var kind: String
  }

  /// The PATH records with a name, parent folders last.
  private var paths: [Path] {
    var paths: [Path] = []
    var parents: [Path] = []
    for record in event.records where record.type == .path {
      guard let name = event.value("name", of: record) else { continue }
      let kind = event.value("nametype", of: record) ?? event.value("objtype", of: record) ?? []
      let path = Path(name: name, kind: String(decoding: kind, as: UTF8.self))
      if path.kind == "PARENT" { parents.append(path) } else { paths.append(path) }
    }
    return paths + parents
  }

  private var path: String? {
    let paths = paths
    guard let first = paths.first(where: { $0.kind == "DELETE" }) ?? paths.first else {
      return nil
    }
    return (first.kind == "PARENT" ? "something in " : "") + SafeText.cut(resolved(first.name))
  }

  /// Whether the call made the file it opened.
  var createsFile: Bool { paths.contains { $0.kind == "CREATE" } }

  private func pathPair(joined by: String, newFirst: Bool) -> String? {
    let paths = paths.filter { $0.kind != "PARENT" }
    guard let new = paths.last(where: { $0.kind == "CREATE" }),
      let old = paths.first(where: { $0.kind != "CREATE" })
    else { return path }
    // The target of a symbolic link is text that need not be a path from here.
    let target = old.kind == "UNKNOWN" && newFirst ? old.name : resolved(old.name)
    let names = [SafeText.cut(target), SafeText.cut(resolved(new.name))]
    return (newFirst ? names.reversed() : names).joined(separator: by)
  }

  /// A relative path behind the working directory, unless it starts at some other descriptor.
  private func resolved(_ name: [UInt8]) -> [UInt8] {
    guard name.first != UInt8(ascii: "/"), !startsElsewhere,
      let record = event.record(.workingDirectory), let folder = event.value("cwd", of: record)
    else { return name }
    if name == [UInt8(ascii: ".")] { return folder }
    let rest = name.starts(with: "./".utf8) ? Array(name.dropFirst(2)) : name
    return folder + (folder.last == UInt8(ascii: "/") ? [] : [UInt8(ascii: "/")]) + rest
  }

  private var startsElsewhere: Bool {
    guard let name = systemCallName, name.contains("at"),
      !["creat", "stat", "lstat"].contains(name),
      let folder = argument(name == "symlinkat" ? 1 : 0)
    else { return false }
    return name.hasSuffix("at") || name.hasSuffix("at2")
      ? UInt32(truncatingIfNeeded: folder) != 0xffff_ff9c : false
  }

  /// The name of the system call: auditd's, else libauparse's, else its number.
  var systemCallName: String? {
    guard let record = systemCall else { return nil }
    if let name = event.enrichment("SYSCALL", of: record) {
      return String(decoding: event.bytes[name.value], as: UTF8.self)
    }
    if let name = interpreter.meaning(of: "syscall", in: record, event) { return name }
    return event.field("syscall", of: record).map { number in
      "system call " + String(decoding: event.bytes[number.value].prefix(16), as: UTF8.self)
    }
  }

  private func argument(_ number: Int) -> UInt64? {
    guard let record = systemCall, let field = event.field("a\(number)", of: record) else {
      return nil
    }
    return UInt64(String(decoding: event.bytes[field.value].prefix(16), as: UTF8.self), radix: 16)
  }

  private var address: String? {
    guard let record = event.record(.socketAddress), let field = event.field("saddr", of: record),
      let bytes = Hex.decode(event.bytes[field.value])
    else { return nil }
    return SocketAddress(bytes)?.text
  }

  private var process: String? {
    var words: [String] = []
    if let record = event.record(.objectProcess), let pid = event.value("opid", of: record) {
      words.append("pid " + SafeText.word(pid.prefix(24)))
      if let name = event.value("ocomm", of: record) { words.append("(\(SafeText.word(name)))") }
    } else if let first = argument(systemCallName == "ptrace" ? 1 : 0) {
      words.append("pid \(Int32(truncatingIfNeeded: first))")
    }
    if systemCallName == "kill", let record = systemCall,
      let signal = interpreter.meaning(of: "a1", in: record, event)
    {
      words.append("with \(SafeText.word(signal.utf8))")
    }
    return words.isEmpty ? nil : words.joined(separator: " ")
  }

  private var numbers: String? {
    let count =
      switch systemCallName {
      case "setresuid", "setresgid": 3
      case "setreuid", "setregid": 2
      default: 1
      }
    let values = (0..<count).compactMap { argument($0) }
    guard !values.isEmpty else { return nil }
    return values.map { "\(Int32(truncatingIfNeeded: $0))" }.joined(separator: " ")
  }

  private var account: String? {
    if let name = event.value("acct", of: subject) { return SafeText.cut(name) }
    guard event.field("id", of: subject) != nil else { return nil }
    return user("id", of: subject)
  }

  private var mapping: String? {
    guard let record = event.record(.memoryMap) else { return "memory" }
    let file = shown("fd", of: record).map { "descriptor \($0)" } ?? "memory"
    let flags = [
      systemCall.flatMap { interpreter.meaning(of: "a2", in: $0, event) },
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
    return "to " + SafeText.word(effective)
  }
}

extension RecordType {
  static let workingDirectory = RecordType(rawValue: 1307)
  static let socketAddress = RecordType(rawValue: 1306)
  static let descriptorPair = RecordType(rawValue: 1317)
  static let objectProcess = RecordType(rawValue: 1318)
  static let capabilitySet = RecordType(rawValue: 1322)
  static let memoryMap = RecordType(rawValue: 1323)
}

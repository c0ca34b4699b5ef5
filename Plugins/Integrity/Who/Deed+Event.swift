import Linux
import AudispatchPlugin
import AuditRecord

extension Deed {
  /// `nil` for an event that can have changed no file: nothing was called, it failed, or it reads.
  init?(_ event: AuditEvent) {
    guard let call = event.record(.uring) ?? event.record(.syscall) else { return nil }
    if event.value("success", of: call)?.elementsEqual("no".utf8) == true { return nil }
    var effect = CallEffect(event, call)
    let items = Self.items(of: event, call)
    if items.contains(where: { $0.role == .created || $0.role == .deleted }) {
      effect.insert(.names)
    }
    // Of what a descriptor alone is given for, the file is not named.
    guard !effect.isEmpty, !items.isEmpty || effect.isSubset(of: .unnamed) else { return nil }
    let actor = event.record(.syscall) ?? call
    let executable = event.value("exe", of: actor)
    let session = event.number("ses", of: actor).flatMap { $0 == .max ? nil : $0 }
    self.init(
      stamp: event.stamp,
      author: Author(
        login: Login(event.value("auid", of: actor)), session: session,
        user: event.number("uid", of: actor), program: executable),
      loginName: event.enrichment("AUID", of: actor).map { Array(event.bytes[$0.value]) },
      user: event.number("uid", of: actor), effectiveUser: event.number("euid", of: actor),
      terminal: event.value("tty", of: actor),
      program: Program(
        pid: event.number("pid", of: actor) ?? 0, executable: executable,
        arguments: event.processTitle() ?? []),
      call: call.type == .uring ? nil : event.systemCallName(in: call), keys: event.ruleKeys(),
      effect: effect, items: items)
  }

  private static func items(of event: AuditEvent, _ call: EventRecord) -> [Item] {
    let base =
      startsInWorkingFolder(event, call)
      ? event.record(.workingFolder).flatMap { event.value("cwd", of: $0) } : nil
    return event.records.filter { $0.type == .path }.map { record in
      let name = event.value("name", of: record) ?? []
      return Item(
        role: role(of: record, event),
        identity: FileIdentity(
          inode: event.value("inode", of: record) ?? [],
          device: event.value("dev", of: record) ?? []),
        name: name, path: path(name, from: base))
    }
  }

  /// Old kernels of Red Hat call the field `objtype`.
  private static func role(of record: EventRecord, _ event: AuditEvent) -> Item.Role {
    let kind = event.value("nametype", of: record) ?? event.value("objtype", of: record) ?? []
    return switch String(decoding: kind, as: UTF8.self) {
    case "PARENT": .folder
    case "CREATE": .created
    case "DELETE": .deleted
    default: .other
    }
  }

  /// Whether relative names start from the working folder: not from a descriptor, nor from where
  /// nothing tells.
  private static func startsInWorkingFolder(_ event: AuditEvent, _ call: EventRecord) -> Bool {
    guard call.type != .uring, let name = event.systemCallName(in: call) else { return false }
    guard name.hasSuffix("at") || name.hasSuffix("at2"), name != "creat", name != "stat" else {
      return true
    }
    let places =
      switch name {
      case "symlinkat": [1]
      case "renameat", "renameat2", "linkat": [0, 2]
      default: [0]
      }
    return places.allSatisfy { place in
      event.argument(place, of: call).map { Int32(truncatingIfNeeded: $0) == -100 } ?? false
    }
  }

  /// A name that goes up again depends on links: where it leads is not certain.
  private static func path(_ name: [UInt8], from base: [UInt8]?) -> FilePath? {
    guard !name.isEmpty,
      !name.split(separator: 0x2f).contains(where: { $0.elementsEqual("..".utf8) })
    else { return nil }
    if name.first == 0x2f { return FilePath(name) }
    return base.flatMap { $0.first == 0x2f ? FilePath($0 + [0x2f] + name) : nil }
  }
}

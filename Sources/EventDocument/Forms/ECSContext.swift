import AuditRecord
import ProcessContext

/// What is known of an event's processes, in the fields of ECS, with those that Kibana's session view
/// reads: `process.entity_id`, `parent`, `session_leader`, `entry_leader`. What ECS has no field for is
/// in `auditd.context`.
enum ECSContext {
  /// `container` and `labels`.
  static func writeMembers(_ context: EventContext, _ out: inout DocumentBytes) {
    if let container = context.process?.container, !container.isEmpty {
      out.object("container")
      out.member("id", container)
      out.endObject()
    }
    if let unit = context.process?.unit, !unit.isEmpty {
      out.raw(",\"systemd\":{")
      out.member("unit", unit)
      out.endObject()
    }
  }

  /// What the event does not say of its own process.
  static func writeProcess(_ context: EventContext, _ out: inout DocumentBytes) {
    guard let process = context.process else { return }
    out.member("entity_id", process.identity)
    writeHash(process, &out)
    writeLeader("session_leader", context.sessionLeader, &out)
    writeLeader("entry_leader", context.entryLeader, &out)
    if !context.environment.isEmpty {
      out.array("env_vars")
      for (name, value) in context.environment.prefix(out.itemLimit) {
        out.string((name + [0x3d] + value)[...])
      }
      out.endArray()
    }
    guard !context.groups.isEmpty else { return }
    out.array("supplemental_groups")
    for group in context.groups.prefix(out.itemLimit) {
      out.beginObject()
      out.member("id", Array(String(group).utf8))
      out.endObject()
    }
    out.endArray()
  }

  private static func writeLeader(
    _ name: StaticString, _ leader: KnownProcess?, _ out: inout DocumentBytes
  ) {
    guard let leader else { return }
    out.object(name)
    out.key("pid")
    out.integer(Int(leader.pid))
    writeOther(leader, &out)
    out.endObject()
  }

  /// Another process, behind its pid.
  static func writeOther(_ process: KnownProcess, _ out: inout DocumentBytes) {
    out.member("entity_id", process.identity)
    out.member("name", process.name)
    out.member("executable", process.executable)
    writeArguments(of: process, &out)
    writeHash(process, &out)
  }

  static func writeArguments(of process: KnownProcess, _ out: inout DocumentBytes) {
    guard !process.arguments.isEmpty else { return }
    let all = process.arguments.span
    out.array("args")
    var count = 0
    var start = 0
    while start <= all.count {
      var end = start
      while end < all.count, all[end] != 0 { end += 1 }
      if count < out.itemLimit {
        let missing = end == all.count ? process.argumentsCut : 0
        out.string(all.extracting(start..<end), lacking: missing)
      }
      count += 1
      start = end + 1
    }
    if count > out.itemLimit { out.omitted(count - out.itemLimit) }
    out.endArray()
  }

  private static func writeHash(_ process: KnownProcess, _ out: inout DocumentBytes) {
    guard !process.hash.isEmpty else { return }
    out.object("hash")
    out.member("sha256", Hexadecimal.text(process.hash))
    out.endObject()
  }

  /// `auditd.context`: labels, the script, the chain of parents, the objects, who came in from where,
  /// and what is missing.
  static func writeAudit(_ context: EventContext, _ out: inout DocumentBytes) {
    let process = context.process
    guard process != nil || context.login != nil || !context.missing.isEmpty else { return }
    let start = out.mark
    out.object("context")
    let empty = out.mark
    out.list("labels", context.labels)
    out.member("script", process?.script ?? [])
    if context.ancestors.count > 1 {
      out.array("ancestors")
      for process in context.ancestors.prefix(out.itemLimit) {
        out.beginObject()
        out.key("pid")
        out.integer(Int(process.pid))
        out.member("name", process.name)
        out.member("entity_id", process.identity)
        out.endObject()
      }
      out.endArray()
    }
    if !context.objects.isEmpty {
      out.array("objects")
      for process in context.objects.prefix(out.itemLimit) {
        out.beginObject()
        out.key("pid")
        out.integer(Int(process.pid))
        writeOther(process, &out)
        out.endObject()
      }
      out.endArray()
    }
    if let login = context.login { write(login, &out) }
    if !context.missing.isEmpty {
      out.array("missing")
      for what in context.missing { out.string(what) }
      out.endArray()
    }
    if out.mark == empty { out.cut(to: start) } else { out.endObject() }
  }

  private static func write(_ login: LoginSession, _ out: inout DocumentBytes) {
    out.object("login")
    out.member("account", login.account)
    out.member("address", login.address)
    if login.host != login.address { out.member("host", login.host) }
    out.member("terminal", login.terminal)
    out.member("program", login.program)
    if let began = login.began {
      out.key("began")
      out.openString()
      TimeText.append(began.milliseconds, trimmed: false, to: &out)
      out.closeString()
    }
    out.endObject()
  }
}

/// Bytes as hexadecimal digits.
enum Hexadecimal {
  static func text(_ bytes: [UInt8]) -> [UInt8] {
    bytes.flatMap { byte in
      [byte >> 4, byte & 15].map { $0 < 10 ? 0x30 + $0 : 0x57 + $0 }
    }
  }
}

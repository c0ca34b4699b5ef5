import AudispatchPlugin
import AuditRecord
import ProcessContext

/// What Laurel says of processes, in its places: `SCRIPT`, `PPID`, `PID` and `LABELS` of the call,
/// `ENV` of an exec, `OPID` of an object, and `CONTAINER_INFO` and `PARENT_INFO` of the event.
enum LaurelContext {
  static func writeCall(
    _ context: EventContext, _ settings: LaurelSettings, _ out: inout DocumentBytes
  ) {
    if context.isExec, let script = context.process?.script, !script.isEmpty {
      out.key("SCRIPT")
      out.string(script[...])
    }
    if settings.namesProcesses {
      if let parent = context.parent {
        out.object("PPID")
        write(parent, id: "EVENT_ID", &out)
        if parent.parentPid > 0 {
          out.key("ppid")
          out.integer(Int(parent.parentPid))
        }
        out.endObject()
      }
      if let exec = context.process?.exec {
        out.object("PID")
        out.key("EVENT_ID")
        write(exec, &out)
        out.endObject()
      }
    }
    guard !context.labels.isEmpty else { return }
    out.array("LABELS")
    for label in context.labels { out.string(label[...]) }
    out.endArray()
  }

  static func writeEnvironment(_ context: EventContext, _ out: inout DocumentBytes) {
    guard context.hasEnvironment else { return }
    out.object("ENV")
    var names: Set<[UInt8]> = []
    for (name, value) in context.environment where names.insert(name).inserted {
      out.key(name)
      out.string(value[...])
    }
    out.endObject()
  }

  static func writeObject(
    of record: EventRecord, _ event: AuditEvent, _ context: EventContext, _ out: inout DocumentBytes
  ) {
    guard event.enrichment("OPID", of: record) == nil, event.field("OPID", of: record) == nil,
      let pid = event.field("opid", of: record),
      let process = context.objects.first(where: {
        event.bytes[pid.value].elementsEqual(String($0.pid).utf8)
      })
    else { return }
    out.object("OPID")
    if let exec = process.exec {
      out.key("ID")
      write(exec, &out)
    }
    if !process.executable.isEmpty {
      out.key("exe")
      out.string(process.executable[...])
    }
    out.key("ppid")
    out.integer(Int(process.parentPid))
    out.endObject()
  }

  static func writeMembers(
    _ context: EventContext, _ settings: LaurelSettings, _ out: inout DocumentBytes
  ) {
    if settings.namesContainers, let container = context.process?.container, !container.isEmpty {
      out.object("CONTAINER_INFO")
      out.key("ID")
      out.string(container[...])
      out.endObject()
    }
    guard settings.hasParentInfo, let parent = context.parent else { return }
    out.object("PARENT_INFO")
    write(parent, id: "ID", &out)
    out.key("ppid")
    out.integer(Int(parent.parentPid))
    out.endObject()
  }

  private static func write(
    _ process: KnownProcess, id: StaticString, _ out: inout DocumentBytes
  ) {
    if let exec = process.exec {
      out.key(id)
      write(exec, &out)
    }
    out.member("comm", process.name)
    out.member("exe", process.executable)
  }

  private static func write(_ stamp: RecordStamp, _ out: inout DocumentBytes) {
    out.openString()
    out.piece(stamp)
    out.closeString()
  }
}

import AuditRecord
import Configuration
import Glibc
import Journal
import Linux

/// JSON text, put together without a library: the daemon has no Foundation.
struct JSONText {
  private(set) var text = ""
  private var needsComma = false

  mutating func object(_ key: String? = nil, _ body: (inout JSONText) -> Void) {
    nest(key, "{", "}", body)
  }

  mutating func array(_ key: String, _ body: (inout JSONText) -> Void) {
    nest(key, "[", "]", body)
  }

  mutating func field(_ key: String, _ value: String) { put(key, Self.quoted(value)) }
  mutating func field(_ key: String, _ value: some BinaryInteger) { put(key, String(value)) }
  mutating func field(_ key: String, _ value: Bool) { put(key, value ? "true" : "false") }

  private mutating func put(_ key: String?, _ value: String) {
    if needsComma { text += "," }
    if let key { text += Self.quoted(key) + ":" }
    text += value
    needsComma = true
  }

  private mutating func nest(
    _ key: String?, _ open: String, _ close: String, _ body: (inout JSONText) -> Void
  ) {
    put(key, open)
    needsComma = false
    body(&self)
    text += close
    needsComma = true
  }

  private static func quoted(_ value: String) -> String {
    var text = "\""
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\t": text += "\\t"
      case _ where scalar.value < 0x20:
        let hex = String(scalar.value, radix: 16)
        text += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text + "\""
  }
}

extension Dispatcher {
  /// The state as `status --json` and `state.json` give it.
  func statusText() -> String {
    for plugin in plugins { plugin.refresh() }
    // Should this process die now, its successor counts on from what was shown.
    publish()
    var json = JSONText()
    json.object { json in
      json.object("daemon") { json in
        json.field("pid", getpid())
        json.field("version", Self.version)
        json.field("uptime_seconds", Int64((Moment.now - started).inSeconds))
        json.field("journal_bytes", journal.bytes)
        json.field("messages_lost", messages.lost)
        json.field("control_refused", control?.refused ?? 0)
        json.field("deaths", survivor.isHeld ? survivor.generation - 1 : 0)
      }
      json.object("source") { sourceStatus(&$0) }
      sourcesStatus(&json)
      if let durable { json.object("spool") { spoolStatus(durable, &$0) } }
      json.array("plugins") { json in
        for plugin in plugins { json.object { pluginStatus(plugin, &$0) } }
        for plugin in inactive {
          json.object { json in
            json.field("name", plugin.name)
            json.field("state", "inactive")
            counterFields(Counters(), &json)
            json.field("pid", 0)
            json.field("restarts", 0)
          }
        }
      }
    }
    return json.text + "\n"
  }

  private func sourceStatus(_ json: inout JSONText) {
    let kernel = intake.readers?.total
    json.field("kind", source.kind)
    json.field("records", source.records)
    json.field("events", events)
    json.field("bytes", source.bytes)
    json.field("malformed", source.malformedTotal + (kernel?.malformed ?? 0))
    json.object("malformed_kinds") { json in
      for (kind, count) in zip(MalformedInput.allCases, source.malformed) where count > 0 {
        json.field(kind.rawValue, count)
      }
    }
    json.field("kernel_lost", kernel?.kernelLost ?? 0)
    json.field("receive_overruns", kernel?.receiveOverruns ?? 0)
    json.field("reader_queue_lost", kernel?.queueLost ?? 0)
    json.field("unread_events_max", intake.readers?.unread ?? 0)
  }

  private func spoolStatus(_ durable: DurableQueues, _ json: inout JSONText) {
    let state =
      switch durable.state {
      case .opening: "opening"
      case .open: "open"
      case .failed: "failed"
      case .unusable: "unusable"
      }
    json.field("state", state)
    json.field("folder", configuration.spoolDirectory)
    json.field("trouble", durable.trouble ?? "")
    json.field("pending_bytes", durable.spool.pendingBytes)
    // Of those taken in since the start.
    let isSettled = durable.isSettled && durable.log.syncedBelow > durable.endAtOpening
    json.field("safe_records", isSettled ? durable.log.syncedBelow - durable.endAtOpening : 0)
    json.field("open_us", durable.openMicroseconds)
    keptStatus(durable, &json)
  }

  private func pluginStatus(_ plugin: Plugin, _ json: inout JSONText) {
    json.field("name", plugin.name)
    json.field("state", plugin.stateName)
    json.field("pid", plugin.child?.pid ?? 0)
    counterFields(plugin.subscription.counters, &json)
    if plugin.subscription.isDurable {
      json.field("stored", plugin.subscription.storedRecords)
    }
    json.field("restarts", plugin.lifecycle.restarts)
    limits(plugin.configuration, &json)
    reasons(plugin, &json)
  }

  private func limits(_ configuration: PluginConfiguration, _ json: inout JSONText) {
    json.object("limits") { json in
      json.field("records", configuration.queueDepth)
      json.field("bytes", configuration.queueBytes)
      if configuration.overflowAction.isDurable {
        json.field("spool_bytes", configuration.spoolBytes)
      }
      json.field("overflow_action", configuration.overflowAction.rawValue)
    }
  }

  /// Why it is as it is.
  private func reasons(_ plugin: Plugin, _ json: inout JSONText) {
    if let exit = plugin.past.lastExit {
      json.object("last_exit") { json in
        switch exit.value {
        case .exit(let status): json.field("status", status)
        case .signal(let number): json.field("signal", number)
        }
        json.field("at", exit.at)
      }
    }
    if let message = plugin.past.lastMessage {
      json.object("last_message") { json in
        json.field("text", message.value)
        json.field("at", message.at)
      }
    }
    switch plugin.lifecycle.state {
    case .backingOff(let until), .held(let until):
      json.field("next_attempt_seconds", max(0, Int64((until - now).inSeconds.rounded(.up))))
    default: break
    }
    if plugin.lifecycle.takesInput, plugin.subscription.counters.queued > 0 {
      json.field("idle_seconds", max(0, Int64((now - plugin.progressed).inSeconds)))
    }
  }

  private func counterFields(_ counters: Counters, _ json: inout JSONText) {
    json.field("received", counters.received)
    json.field("delivered", counters.delivered)
    json.field("redelivered", counters.redelivered)
    json.field("queued", counters.queued)
    json.field("queued_bytes", counters.queuedBytes)
    json.field("queued_max", counters.queuedMax)
    json.object("dropped") { json in
      for reason in DropReason.allCases where counters[reason] > 0 || reason == .queueFull {
        json.field(reason.name, counters[reason])
      }
    }
    json.field("dropped_events", counters.droppedEvents)
    json.field("bytes", counters.bytes)
  }

  /// Writes `state.json`; a failure is said, and nothing else.
  func writeState() {
    do {
      try runtime.write("state.json", statusText())
    } catch { say(.error, "\(error)") }
  }
}

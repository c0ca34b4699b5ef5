import AuditRecord
import Configuration
import Glibc
import Journal
import Linux

/// The state as `audispatchctl status --json` and `state.json` give it.
struct Status: Owner {
  /// How many inactive plugins are listed; `inactive` counts all.
  private static let mostInactive = 1000

  let base: Base
  let supply: SourceSupply
  let ledger: Ledger
  let durable: DurableQueues
  let control: ControlDesk
  let remote: RemoteInput?

  /// Has `state.json` written; a failure is said, and nothing else.
  func write() { runtime.write("state.json", text()) }

  func text() -> String {
    let plugins = plugins.all
    for plugin in plugins { plugin.refresh() }
    // Should this process die now, its successor counts on from what was shown.
    ledger.publish()
    var json = JSONText()
    json.object { json in
      json.object("daemon") { json in
        json.field("pid", getpid())
        json.field("version", Dispatcher.version)
        json.field("uptime_seconds", Int64((Moment.now - loop.started).inSeconds))
        json.field("journal_bytes", journal.bytes)
        json.field("messages_lost", loop.messagesLost)
        json.field("control_refused", control.refused)
        json.field("deaths", ledger.survivor.isHeld ? ledger.survivor.generation - 1 : 0)
      }
      json.object("source") { sourceStatus(&$0) }
      SourcesStatus(base, supply, remote, events: ledger.events).write(&json)
      if let open = durable.open { json.object("spool") { spoolStatus(open, &$0) } }
      json.array("plugins") { json in
        for plugin in plugins { json.object { pluginStatus(plugin, &$0) } }
        for plugin in settings.inactive.prefix(Self.mostInactive) {
          json.object { json in
            json.field("name", plugin.name)
            json.field("state", "inactive")
            counterFields(Counters(), &json)
            json.field("pid", 0)
            json.field("restarts", 0)
          }
        }
      }
      json.field("inactive", settings.inactive.count)
    }
    return json.text + "\n"
  }

  private func sourceStatus(_ json: inout JSONText) {
    let kernel = supply.readers?.total
    json.field("kind", source.kind)
    json.field("records", source.figures.records)
    json.field("events", ledger.events)
    json.field("bytes", source.figures.bytes)
    json.field("malformed", source.figures.malformedTotal + (kernel?.malformed ?? 0))
    json.object("malformed_kinds") { json in
      for (kind, count) in zip(MalformedInput.allCases, source.figures.malformed) where count > 0 {
        json.field(kind.rawValue, count)
      }
    }
    json.field("kernel_lost", kernel?.kernelLost ?? 0)
    json.field("receive_overruns", kernel?.receiveOverruns ?? 0)
    json.field("reader_queue_lost", kernel?.queueLost ?? 0)
    json.field("unread_events_max", supply.readers?.unread ?? 0)
  }

  private func spoolStatus(_ open: OpenSpool, _ json: inout JSONText) {
    json.field("state", open.state.name)
    json.field("folder", settings.daemon.spoolDirectory)
    json.field("trouble", open.trouble ?? "")
    json.field("pending_bytes", open.spool.pendingBytes)
    // Of those taken in since the start.
    let isSettled = open.isSettled && open.log.syncedBelow > open.endAtOpening
    json.field("safe_records", isSettled ? open.log.syncedBelow - open.endAtOpening : 0)
    json.field("open_us", open.openMicroseconds)
    json.field("given_up", durable.kept.givenUp)
    json.array("gone") { json in
      for (name, queue) in durable.kept.all {
        json.object { json in
          json.field("name", name)
          json.field("records", queue.count)
          json.field("since", queue.since)
        }
      }
    }
  }

  private func pluginStatus(_ plugin: Plugin, _ json: inout JSONText) {
    json.field("name", plugin.name)
    json.field("state", plugin.stateName)
    json.field("pid", plugin.child?.process.pid ?? 0)
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
    if let since = plugin.past.launchedAt, loop.now - since >= .seconds(1) {
      json.field("starting_seconds", Int64((loop.now - since).inSeconds))
    }
    if plugin.past.leftBehind > 0 { json.field("left_behind", plugin.past.leftBehind) }
    switch plugin.lifecycle.state {
    case .backingOff(let until), .held(let until):
      json.field(
        "next_attempt_seconds", max(0, Int64((until - loop.now).inSeconds.rounded(.up))))
    default: break
    }
    if plugin.lifecycle.takesInput, plugin.subscription.counters.queued > 0 {
      json.field("idle_seconds", max(0, Int64((loop.now - plugin.progress.since).inSeconds)))
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
}

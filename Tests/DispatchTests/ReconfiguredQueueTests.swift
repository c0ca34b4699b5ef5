import AuditRecord
import Configuration
import Linux
import Testing

@testable import AuditDispatch
@testable import Journal

@Suite("A queue that a reload bounds anew")
struct ReconfiguredQueueTests {
  private let journal = Journal()

  private func admit(_ records: Int, to plugin: Plugin) {
    journal.beginBatch()
    for _ in 0..<records {
      let line = Array("type=A msg=audit(1700000000.001:\(journal.nextRecord.value)): n=1".utf8)
      journal.append(RecordFrame(form: .line, type: 0, payload: 0..<line.count), of: line.span)
    }
    _ = plugin.subscription.admit(journal.batch, journal: journal, now: 1)
  }

  private func makePlugin(_ configuration: PluginConfiguration) -> Plugin {
    Plugin(
      id: .first, configuration: configuration, slot: nil, node: nil, journal: journal,
      now: Moment(nanoseconds: 0), PluginChanges())
  }

  @Test(arguments: [OverflowAction.spill, .lossless])
  func `holds as much in memory as the new file says`(
    action: OverflowAction
  ) {
    var configuration = PluginConfiguration(name: "p", file: "/etc/p.conf")
    configuration.overflowAction = action
    configuration.queueDepth = 3
    let plugin = makePlugin(configuration)
    let log = LogKnowledge()
    plugin.subscription.goOn(in: log, beyond: configuration.window, waitsForSync: false)
    log.wentOn(from: journal.nextRecord)
    plugin.subscription.restore([], bytes: 0, firstNumber: StreamNumber(1))
    for _ in 0..<3 { admit(1, to: plugin) }
    #expect(plugin.subscription.storedRecords == 0)

    configuration.queueDepth = 8
    plugin.configure(configuration)
    for _ in 0..<5 { admit(1, to: plugin) }
    #expect(plugin.subscription.storedRecords == 0)
    for _ in 0..<2 { admit(1, to: plugin) }
    #expect(plugin.subscription.storedRecords == 2)

    // What is held stays, and nothing comes to it.
    configuration.queueDepth = 1
    plugin.configure(configuration)
    #expect(plugin.subscription.counters.queued == 10 && plugin.subscription.storedRecords == 2)
    #expect(plugin.subscription.wanted == nil)
  }

  @Test func `in memory alone follows the new depth, and keeps what it has`() {
    var configuration = PluginConfiguration(name: "p", file: "/etc/p.conf")
    configuration.overflowAction = .syslog
    configuration.queueDepth = 5
    let plugin = makePlugin(configuration)
    for _ in 0..<5 { admit(1, to: plugin) }
    configuration.queueDepth = 2
    plugin.configure(configuration)
    admit(1, to: plugin)
    #expect(plugin.subscription.counters.queued == 5 && plugin.subscription.counters.dropped == 1)
  }
}

import AuditRecord
import Configuration
import Glibc
import Linux
import Testing

@testable import AuditDispatch
@testable import Journal

/// A ledger of many plugins, of which few change.
@Suite("What a successor is to know")
final class LedgerTests {
  private let folder = TestFolder()
  private let base: Base
  private let ledger: Ledger
  private let file: Descriptor

  init() throws {
    let journal = Journal(firstRecord: Ledger.firstRecord, firstEvent: Ledger.firstEvent)
    file = try Descriptor.anonymousFile("test")
    let survivor = try Survivor(held: Descriptor(owning: dup(file.number)))
    let loop = try Loop()
    base = Base(
      loop: loop, starting: StarterLink(loop, nil),
      settings: Settings(
        InForce(daemon: DaemonConfiguration(), active: [], inactive: [], node: nil)),
      ending: Ending(), runtime: try RuntimeFolder(path: folder.path), journal: journal,
      source: Source(
        kind: "stdin", canWait: false, framing: .automatic, survivor: survivor, predecessor: nil,
        hasSameStream: false),
      plugins: PluginTable(journal, node: nil))
    ledger = Ledger(base, survivor, nil)
    _ = ledger.enter()
    for number in 0..<100 { add("p\(number)") }
    ledger.publish()
  }

  @discardableResult
  private func add(_ name: String) -> Plugin {
    base.plugins.add(
      PluginConfiguration(name: name, file: ""), slot: ledger.place(of: name).slot,
      now: base.loop.now)
  }

  private func admit(_ records: Int) {
    base.journal.beginBatch()
    for _ in 0..<records {
      let line = Array("type=A msg=audit(1.000:\(base.journal.nextRecord.value)): n=1".utf8)
      base.journal.append(
        RecordFrame(form: .line, type: 0, payload: 0..<line.count), of: line.span)
    }
    for plugin in base.plugins.all {
      _ = plugin.subscription.admit(base.journal.batch, journal: base.journal, now: 1)
    }
  }

  /// The plugin reads all that there is for it.
  private func read(_ plugin: Plugin) {
    var scratch: [UInt8] = []
    _ = unsafe plugin.subscription.write(journal: base.journal, now: 1, scratch: &scratch) {
      bytes, _, _ in .bytes(bytes.count)
    }
    plugin.subscription.setUnread(0)
  }

  /// How many plugins' cells publishing writes.
  private func cells() -> UInt64 {
    let before = ledger.cellsWritten
    ledger.publish()
    return ledger.cellsWritten - before
  }

  /// What a successor would find.
  private func found() throws -> [String: Predecessor.Queue] {
    try #require(Predecessor(Survivor(held: Descriptor(owning: dup(file.number))))).queues
  }

  @Test func `is written of the plugins that have changed, and of no other`() throws {
    #expect(cells() == 0)
    admit(5)
    // All were put the records.
    #expect(cells() == 100)
    #expect(cells() == 0)
    for name in ["p3", "p77"] { read(try #require(base.plugins.named(name))) }
    #expect(cells() == 2)
    #expect(cells() == 0)
    let queues = try found()
    #expect(queues.count == 100)
    for (name, queue) in queues {
      let isRead = name == "p3" || name == "p77"
      #expect(queue.counters.received == 5, "\(name)")
      #expect(queue.counters.delivered == (isRead ? 5 : 0), "\(name)")
      #expect(queue.counters.queued == (isRead ? 0 : 5), "\(name)")
    }
    // Looking at a queue changes nothing.
    for plugin in base.plugins.all {
      _ = (plugin.subscription.counters, plugin.subscription.isEmpty)
      _ = plugin.liveRoom
      plugin.refresh()
    }
    #expect(cells() == 0)
  }

  @Test func `is written of all when the log is another`() throws {
    admit(1)
    #expect(cells() == 100)
    ledger.logIsKnown(shift: LogShift(7), from: Ledger.firstRecord)
    #expect(cells() == 100)
    #expect(try found()["p0"]?.shift == LogShift(7))
    ledger.logHasChanged()
    #expect(cells() == 100)
  }

  @Test func `is nothing of a plugin that is gone, and all of the one in its place`() throws {
    admit(2)
    let gone = try #require(base.plugins.named("p5"))
    let slot = try #require(gone.slot)
    base.plugins.remove(gone)
    ledger.leave(gone)
    let new = add("new")
    #expect(new.slot == slot)
    _ = cells()
    // Nobody's affair any more.
    read(gone)
    #expect(cells() == 0)
    let queues = try found()
    #expect(queues["p5"] == nil)
    #expect(queues["new"]?.counters.received == 0)
    #expect(queues.count == 100)
  }
}

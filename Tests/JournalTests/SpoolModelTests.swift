import Glibc
import Linux
import TestSupport
import Testing

@testable import Journal

/// The durable log over a disk that loses what it may lose.
@Suite("The durable log")
struct SpoolModelTests {
  static let seeds = unsafe getenv("AUDISPATCH_LONG") == nil ? 300 : 100_000

  @Test func `keeps every synced record, in order, whatever crashes`() throws {
    for seed in 0..<Self.seeds { try run(UInt64(seed)) }
    if Self.seeds > 300 { print("faults: seeds 0 to \(Self.seeds - 1) of the modelled disk done") }
  }

  /// What the log must have, and what it may have.
  private struct Expected {
    var records: [LogRecordNumber: [UInt8]] = [:]
    /// Below this everything is safe, but for what failures took.
    var safeBelow: LogRecordNumber = 0
    var failed: Set<LogRecordNumber> = []
    /// So many records may be missing because of bits that turned over.
    var flips = 0
    var lostToFlips = 0
    var cursors: [String: [SpoolCursor]] = [:]  // From the last synced one on.
  }

  private func run(_ seed: UInt64) throws {
    var random = Seeded(seed)
    var log = try SpoolLog(ModelDisk(Seeded(seed &+ 1)), salt: UInt32(seed), fileSize: 4096)
    var expected = Expected()
    var next: LogRecordNumber = 0
    var unsynced: [LogRecordNumber] = []
    var hasFailed = false
    for step in 0..<60 {
      switch Int.random(in: 0..<10, using: &random) {
      case 0..<5:
        if hasFailed {
          // The dispatcher tells anew where its plugins stand, and goes on with what comes.
          var notes: [(kind: SpoolRecord.Kind, note: SpoolNote)] = []
          for (name, all) in expected.cursors {
            notes.append((.cursor, SpoolNote(all[all.count - 1].next.value, 1, 7, name)))
          }
          guard (try? log.reopen(notes, next: next)) != nil else { continue }
          hasFailed = false
          expected.safeBelow = next
          for (name, all) in expected.cursors { expected.cursors[name] = [all[all.count - 1]] }
        }
        var batch = SpoolBatch()
        batch.first = next
        for _ in 0..<Int.random(in: 0...8, using: &random) {
          let length = Int.random(in: 1...300, using: &random)
          let text = [UInt8](repeating: UInt8(truncatingIfNeeded: next.value), count: length)
          unsafe text.withUnsafeBytes {
            unsafe SpoolRecord.append(
              to: &batch.bytes, salt: log.salt, kind: .data, sequence: next,
              event: LogEventNumber(next.value), text: $0)
          }
          expected.records[next] = text
          unsynced.append(next)
          next = next + 1
        }
        batch.nextSequence = next
        batch.nextEvent = LogEventNumber(next.value)
        for name in ["a", "b"] where Bool.random(using: &random) {
          let old = expected.cursors[name]?.last ?? SpoolCursor(next: batch.first, number: 1)
          let to = old.next + Int.random(in: 0...(next - old.next), using: &random)
          let new = SpoolCursor(next: to, number: old.number + (to - old.next))
          expected.cursors[name, default: []].append(new)
          let note = SpoolNote(new.next.value, new.number.value, 7, name)
          note.append(
            to: &batch.bytes, salt: log.salt, kind: .cursor, sequence: next, event: batch.nextEvent)
          batch.notes.append((.cursor, note))
        }
        do throws(Errno) {
          try log.append(batch)
        } catch { hasFailed = fail(&expected, &unsynced) }
      case 5..<7:
        do throws(Errno) {
          try log.sync()
          expected.safeBelow = next
          unsynced = []
          for (name, all) in expected.cursors { expected.cursors[name] = [all[all.count - 1]] }
        } catch { hasFailed = fail(&expected, &unsynced) }
      case 7:
        log.disk.failures = (0..<Int.random(in: 1...6, using: &random)).map { _ in
          Errno([EIO, ENOSPC, EROFS].randomElement(using: &random)!)
        }
      default:
        log.disk.failures = []
        hasFailed = false
        if Bool.random(using: &random) { log.disk.crash() }
        if seed % 4 == 3, Bool.random(using: &random) {
          log.disk.flip()
          expected.flips += 1
        }
        let disk = log.disk
        log = try SpoolLog(disk, salt: UInt32(seed &+ UInt64(step)), fileSize: 4096)
        check(&log, &expected, seed)
        #expect(
          log.nextSequence >= expected.safeBelow || !expected.failed.isEmpty || seed % 4 == 3,
          "seed \(seed)")
        // What did not survive never was; what did is as good as synced.
        next = max(log.nextSequence, expected.safeBelow)
        unsynced = []
        expected.records = expected.records.filter { $0.key < next }
        for record in expected.safeBelow..<max(next, expected.safeBelow) {
          expected.failed.insert(record)
        }
        expected.safeBelow = next
        for name in ["a", "b"] {
          expected.cursors[name] = log.cursors[name].map { [$0] }
        }
      }
    }
    check(&log, &expected, seed)
  }

  /// What was not synced when a call failed is not in the log, or is.
  private func fail(_ expected: inout Expected, _ unsynced: inout [LogRecordNumber]) -> Bool {
    for record in unsynced { expected.failed.insert(record) }
    unsynced = []
    return true
  }

  private func check(_ log: inout SpoolLog<ModelDisk>, _ expected: inout Expected, _ seed: UInt64) {
    for (name, all) in expected.cursors {
      guard let cursor = log.cursors[name] else {
        // None was synced, or all that was is gone with a failure.
        #expect(all.count > 0)
        continue
      }
      // An older place counts when a bit of the last one has turned over: what lies between was
      // read, and may be gone.
      if expected.flips > 0, cursor.next < all[0].next {
        expected.failed.formUnion(cursor.next..<all[0].next)
      }
      // Never beyond what was said, but for records that a failure kept out of the log.
      let said = all[all.count - 1].next
      #expect(
        cursor.next <= said || (said..<cursor.next).allSatisfy(expected.failed.contains),
        "seed \(seed)")
    }
    var at = log.cursors.values.map(\.next).min() ?? 0
    if let first = log.files.first { at = max(at, first.first) }
    var found: Set<LogRecordNumber> = []
    var last: LogRecordNumber?
    while at < log.nextSequence {
      guard let loaded = try? log.load(from: at, bytes: 700) else { break }
      for record in loaded.records {
        #expect(last.map { record.sequence > $0 } ?? true, "order, seed \(seed)")
        last = record.sequence
        found.insert(record.sequence)
        #expect(
          Array(loaded.bytes[record.text]) == expected.records[record.sequence], "seed \(seed)")
      }
      #expect(loaded.through > at, "seed \(seed)")
      at = loaded.through
    }
    if let from = log.cursors.values.map(\.next).min(), from < expected.safeBelow {
      for record in from..<expected.safeBelow
      where !expected.failed.contains(record) && !found.contains(record) {
        expected.lostToFlips += 1
        if expected.lostToFlips > expected.flips {
          Issue.record("synced record \(record) is not there, seed \(seed)")
        }
        expected.failed.insert(record)
      }
    }
  }
}

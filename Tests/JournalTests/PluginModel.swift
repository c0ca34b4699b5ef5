import AuditRecord
import TestSupport
import Glibc

@testable import Journal

/// One record as a source gives it, and what a plugin should see of it.
struct SentRecord: Hashable {
  var event: Int
  var index: Int
  var count: Int
  var padding: Int

  /// The line without its newline.
  var line: String {
    "type=\(index == 0 ? "SYSCALL" : "PATH") msg=audit(1700000000.\(event % 900 + 100):\(event)): "
      + "i=\(index) n=\(count) p=" + String(repeating: "x", count: padding)
  }
}

/// Events whose records come one after another, or mixed with those of their neighbours.
func traffic(events: Int, interleaved: Bool, using random: inout Seeded) -> [SentRecord] {
  var open: [[SentRecord]] = []
  var sent: [SentRecord] = []
  for event in 1...events {
    let count = Int.random(in: 1...6, using: &random)
    open.append(
      (0..<count).map {
        SentRecord(
          event: event, index: $0, count: count, padding: Int.random(in: 0...200, using: &random))
      })
    while open.count > (interleaved ? 4 : 0) {
      let chosen = interleaved ? Int.random(in: 0..<open.count, using: &random) : 0
      sent.append(open[chosen].removeFirst())
      if open[chosen].isEmpty { open.remove(at: chosen) }
    }
  }
  return sent + open.joined()
}

extension Journal {
  /// Takes lines in as one batch.
  func take(_ records: some Sequence<SentRecord>) {
    beginBatch()
    for record in records { appendLine(record.line) }
  }

  func appendLine(_ line: String) {
    let bytes = Array(line.utf8)
    append(RecordFrame(form: .line, type: 0, payload: 0..<bytes.count), of: bytes.span)
  }
}

/// A plugin's socket and what the plugin has read from it, over all its generations.
struct PluginModel {
  /// Bytes written and not read.
  private(set) var socket: [UInt8] = []
  /// What each generation has read, in whole lines.
  private(set) var generations: [[String]] = [[]]
  private var partial: [UInt8] = []

  /// Offers what the subscription has to a socket that takes some of it.
  mutating func write(
    _ subscription: inout Subscription, _ journal: Journal, capacity: Int,
    using random: inout Seeded
  ) {
    var scratch: [UInt8] = []
    while socket.count < capacity {
      let outcome = unsafe subscription.write(journal: journal, now: 1, scratch: &scratch) {
        bytes, _, _ in
        let room = capacity - socket.count
        guard room > 0 else { return .nothing }
        let count = Int.random(in: 1...min(room, bytes.count), using: &random)
        unsafe socket += bytes.prefix(count)
        return .bytes(count)
      }
      if case .all = outcome { return }
    }
  }

  mutating func read(_ count: Int) {
    let bytes = socket.prefix(count)
    socket.removeFirst(bytes.count)
    for byte in bytes {
      if byte == 0x0a {
        generations[generations.count - 1].append(String(decoding: partial, as: UTF8.self))
        partial.removeAll()
      } else {
        partial.append(byte)
      }
    }
  }

  /// The plugin dies; what it had not read is lost with its socket.
  mutating func die() -> Int {
    defer {
      socket.removeAll()
      partial.removeAll()
      generations.append([])
    }
    return socket.count
  }
}

/// Whether the long form of the model tests is asked for, with `AUDISPATCH_LONG=1`.
var environmentAsksForMore: Bool { unsafe getenv("AUDISPATCH_LONG") != nil }

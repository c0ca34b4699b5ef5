import Enrichment
import ScriptedAccounts
import Testing

extension Enriching {
  @Suite("What auditd 3.0.9 made of recorded messages")
  struct RecordedMinutes {
    /// Accounts of the corpus: the serial from which on one is known, and from which on no more.
    private static let bob: UInt32 = 4243
    private static let ops: UInt32 = 4244

    private static func setAccounts(beforeSerial serial: Int) {
      unsafe accounts_set_user(4242, "alice")
      unsafe accounts_set_group(4242, "alice")
      unsafe accounts_set_group(42, "shadow")
      unsafe accounts_set_user(bob, (580..<613).contains(serial) ? "bob" : nil)
      unsafe accounts_set_group(bob, (580..<613).contains(serial) ? "bob" : nil)
      unsafe accounts_set_group(ops, (582..<613).contains(serial) ? "ops" : nil)
    }

    private static func serial(_ text: [UInt8]) -> Int {
      let stamp = text.prefix { $0 != UInt8(ascii: ")") }
      return Int(String(decoding: stamp, as: UTF8.self).split(separator: ":").last ?? "") ?? 0
    }

    @Test func `comes out the same for 2390 records of a user, byte for byte`() throws {
      let messages = try Corpus.messages("kernel-6.18.nlmsg")
      let expected = try Corpus.lines("auditd-3.0.9-enriched.log")
      var formatter = RecordFormatter(content: .enriched, node: nil)
      var output: [UInt8] = []
      withAccounts {
        for message in messages {
          Self.setAccounts(beforeSerial: Self.serial(message.text))
          formatter.format(type: message.type, text: message.text.span, into: &output)
        }
      }
      let records = BinaryRecord.all(in: output)
      try #require(records.count == expected.count)
      for (i, record) in records.enumerated() {
        let line = BinaryRecord(version: 1, type: messages[i].type, expected[i])
        try #require(record == line, "record \(i)")
      }
    }

    /// 217 types of record, user messages with every kind of odd field, socket addresses of every
    /// family, ids without a name and names that need encoding.
    @Test func `comes out the same for odd records, with their headers`() throws {
      let messages = try Corpus.messages("oddities.nlmsg")
      let expected = BinaryRecord.all(in: try Corpus.bytes("oddities-auditd-3.0.9.records"))
      var formatter = RecordFormatter(content: .enriched, node: nil)
      var output: [UInt8] = []
      let system: [UInt32: String] = [1: "daemon", 2: "bin", 3: "sys"]
      let long = "averyveryveryveryverylongaccountnamethatismorethansixtythreecharacterslong"
      let users: [UInt32: String] = [
        42: "_apt", 4242: "alice", 4250: "sp ace", 4251: "q\"t", 4252: long, 4253: "jé",
      ]
      withAccounts(
        users: system.merging(users) { $1 },
        groups: system.merging([4242: "alice", 42: "shadow"]) { $1 }
      ) {
        for message in messages {
          formatter.format(type: message.type, text: message.text.span, into: &output)
        }
      }
      let records = BinaryRecord.all(in: output)
      try #require(records.count == expected.count)
      for (ours, reference) in zip(records, expected) { #expect(ours == reference) }
    }
  }
}

/// What goes through libauparse, whose cache of names belongs to the process: one test at a time.
@Suite(.serialized) enum Enriching {}

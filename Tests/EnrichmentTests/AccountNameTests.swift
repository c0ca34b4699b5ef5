import Enrichment
import ScriptedAccounts
import Testing

extension Enriching {
  @Suite("The names of accounts")
  struct AccountNames {
    private static let addUser: UInt32 = 1114
    private static let deleteUser: UInt32 = 1115
    private static let config: UInt32 = 1305

    /// The `UID=` of a record about user 7, asked of a formatter with a history.
    private func uid(_ formatter: inout RecordFormatter, type: UInt32 = config) -> String {
      var output: [UInt8] = []
      formatter.format(
        type: type, text: Array("audit(1700000000.123:1): uid=7".utf8).span, into: &output)
      let payload = BinaryRecord.all(in: output)[0].payload
      return String(decoding: payload, as: UTF8.self).split(separator: "\u{1D}").last.map(
        String.init)
        ?? ""
    }

    @Test func `are asked for once`() {
      var formatter = RecordFormatter(content: .enriched, node: nil)
      withAccounts(users: [7: "seven"]) {
        for _ in 0..<3 { _ = uid(&formatter) }
        #expect(accounts_questions() == 1)
      }
    }

    @Test func `are asked for once in a record, also when there is none`() {
      var formatter = RecordFormatter(content: .enriched, node: nil)
      var output: [UInt8] = []
      let text = Array("audit(1700000000.123:1): uid=7 gid=7 euid=7 suid=7 egid=7 sgid=7".utf8)
      withAccounts {
        formatter.format(type: Self.config, text: text.span, into: &output)
        #expect(accounts_questions() == 2)
      }
    }

    @Test func `are asked for again as long as there is none`() {
      var formatter = RecordFormatter(content: .enriched, node: nil)
      withAccounts {
        #expect(uid(&formatter) == #"UID="unknown(7)""#)
        unsafe accounts_set_user(7, "seven")
        #expect(uid(&formatter) == #"UID="seven""#)
      }
    }

    @Test func `are forgotten before the record of an account's creation`() {
      var formatter = RecordFormatter(content: .enriched, node: nil)
      withAccounts(users: [7: "old"]) {
        _ = uid(&formatter)
        unsafe accounts_set_user(7, "new")
        #expect(uid(&formatter) == #"UID="old""#)
        #expect(uid(&formatter, type: Self.addUser) == #"UID="new""#)
      }
    }

    @Test func `are forgotten after the record of an account's removal`() {
      var formatter = RecordFormatter(content: .enriched, node: nil)
      withAccounts(users: [7: "gone"]) {
        _ = uid(&formatter)
        accounts_set_user(7, nil)
        #expect(uid(&formatter, type: Self.deleteUser) == #"UID="gone""#)
        #expect(uid(&formatter) == #"UID="unknown(7)""#)
      }
    }
  }
}

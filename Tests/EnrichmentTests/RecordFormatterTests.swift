import Enrichment
import Testing

@Suite("A record's format")
struct RecordFormats {
  /// What becomes of one message.
  static func format(
    _ text: String, type: UInt32 = 1300, _ content: RecordFormatter.Content = .raw,
    node: String? = nil
  ) -> [BinaryRecord] {
    var formatter = RecordFormatter(content: content, node: node)
    var output: [UInt8] = []
    formatter.format(type: type, text: Array(text.utf8).span, into: &output)
    return BinaryRecord.all(in: output)
  }

  @Test func `is the kernel's own text, version 0, when it is raw and has no node`() {
    let text = "audit(1700000000.123:1): x=1\ny=2 \0z "
    #expect(Self.format(text) == [BinaryRecord(version: 0, type: 1300, Array(text.utf8))])
  }

  @Test func `is cut at what a record holds when raw`() {
    let text = "audit(1700000000.123:1): " + String(repeating: "x", count: 9000)
    #expect(Self.format(text)[0].payload == Array(text.utf8.prefix(8970)))
  }

  @Test(
    arguments: [
      (
        "audit(1700000000.123:1): x=1", 1300, "node=n type=SYSCALL msg=audit(1700000000.123:1): x=1"
      ),
      // auditd trims its own newline and so leaves the kernel's space.
      ("audit(1700000000.123:1): ", 1320, "node=n type=EOE msg=audit(1700000000.123:1): "),
      (
        "audit(1700000000.123:1): a\nb\n", 1107,
        "node=n type=USER_AVC msg=audit(1700000000.123:1): a b "
      ),
      (
        "audit(1700000000.123:1): a\0b", 1305,
        "node=n type=CONFIG_CHANGE msg=audit(1700000000.123:1): a"
      ),
      (
        "audit(1700000000.123:1): x", 9999,
        "node=n type=UNKNOWN[9999] msg=audit(1700000000.123:1): x"
      ),
    ] as [(String, UInt32, String)])
  func `is a line, version 1, when raw with a node`(text: String, type: UInt32, line: String) {
    #expect(Self.format(text, type: type, node: "n") == [BinaryRecord(line: line, type: type)])
  }

  @Test(arguments: [0, 100, 255])
  func `is cut at 8969 bytes, and its size counts a NUL, when a node makes it long`(extra: Int) {
    let text = "audit(1700000000.123:1): " + String(repeating: "x", count: 8960 + extra)
    let line = "node=name type=CWD msg=" + text
    let expected = BinaryRecord(version: 1, type: 1307, Array(line.utf8.prefix(8969)) + [0])
    #expect(Self.format(text, type: 1307, node: "name") == [expected])
  }
}

extension Enriching {
  @Suite("An enriched record")
  struct EnrichedRecord {
    private func line(_ text: String, type: UInt32, node: String? = nil) -> String {
      let record = withAccounts(users: [4242: "alice"], groups: [42: "shadow"]) {
        RecordFormats.format(text, type: type, .enriched, node: node)[0]
      }
      return String(decoding: record.payload, as: UTF8.self)
    }

    @Test(
      arguments: [
        // One trailing space goes, and only one.
        ("audit(1700000000.123:1): ", 1320, "type=EOE msg=audit(1700000000.123:1):"),
        (
          "audit(1700000000.123:1): x=1  ", 1305,
          "type=CONFIG_CHANGE msg=audit(1700000000.123:1): x=1 "
        ),
        (
          "audit(1700000000.123:1): a=1\nb=2\n", 1305,
          "type=CONFIG_CHANGE msg=audit(1700000000.123:1): a=1 b=2"
        ),
        (
          "audit(1700000000.123:1): uid=4242 gid=42 auid=4294967295", 1305,
          "type=CONFIG_CHANGE msg=audit(1700000000.123:1): uid=4242 gid=42 auid=4294967295\u{1D}"
            + #"UID="alice" GID="shadow" AUID="unset""#
        ),
        (
          "audit(1700000000.123:1): old-auid=0 uid=4294967294", 1006,
          "type=LOGIN msg=audit(1700000000.123:1): old-auid=0 uid=4294967294\u{1D}"
            + #"OLD-AUID="root" UID="unknown(-2)""#
        ),
        (
          "audit(1700000000.123:1): saddr=02000050010203040000000000000000", 1306,
          "type=SOCKADDR msg=audit(1700000000.123:1): saddr=02000050010203040000000000000000\u{1D}"
            + "SADDR={ saddr_fam=inet laddr=1.2.3.4 lport=80 }"
        ),
        // The same field names a user, or in records about groups a group.
        (
          "audit(1700000000.123:1): msg='op=x id=42 res=success'", 1132,
          "type=GRP_MGMT msg=audit(1700000000.123:1): msg='op=x id=42 res=success'\u{1D}ID=\"shadow\""
        ),
        // libauparse takes nothing shorter than the kernel's own stamps for one.
        ("audit(1.0:1): uid=0", 1305, "type=CONFIG_CHANGE msg=audit(1.0:1): uid=0"),
      ] as [(String, UInt32, String)])
    func `says what its numbers mean`(text: String, type: UInt32, expected: String) {
      #expect(line(text, type: type) == expected)
    }

    @Test func `has the node in front and the meaning behind`() {
      let expected =
        "node=n type=CONFIG_CHANGE msg=audit(1700000000.123:1): uid=0\u{1D}UID=\"root\""
      #expect(line("audit(1700000000.123:1): uid=0", type: 1305, node: "n") == expected)
    }

    /// A program with CAP_AUDIT_WRITE wrote an enrichment of its own.
    @Test func `has nothing added but what was added here`() {
      let text = "audit(1700000000.123:1): uid=0 msg='res=1\u{1D}UID=\"bob\" X='"
      let escaped = #"audit(1700000000.123:1): uid=0 msg='res=1\x1dUID="bob" X='"#
      #expect(line(text, type: 1100) == "type=USER_AUTH msg=\(escaped)\u{1D}UID=\"root\"")
      #expect(
        RecordFormats.format(text, type: 1100)
          == [BinaryRecord(version: 0, type: 1100, Array(escaped.utf8))])
      #expect(
        RecordFormats.format(text, type: 1100, node: "n")
          == [BinaryRecord(line: "node=n type=USER_AUTH msg=\(escaped)", type: 1100)])
    }

    @Test func `is cut at 8937 bytes before it is enriched`() {
      let text = "audit(1700000000.123:1): uid=0 " + String(repeating: "x", count: 9000)
      let raw = String("type=CONFIG_CHANGE msg=\(text)".prefix(8937))
      #expect(line(text, type: 1305) == raw + "\u{1D}UID=\"root\"")
    }

    @Test func `is cut where a record ends when the meaning does not fit`() {
      let text =
        "audit(1700000000.123:1): uid=0 gid=0 euid=0 egid=0 " + String(repeating: "x", count: 9000)
      let raw = String("type=CONFIG_CHANGE msg=\(text)".prefix(8937))
      let whole = raw + "\u{1D}UID=\"root\" GID=\"root\" EUID=\"root\" EGID=\"root\""
      #expect(line(text, type: 1305) == String(whole.prefix(8969)) + "\0")
    }
  }
}

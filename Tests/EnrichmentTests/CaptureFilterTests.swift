import AuditRecord
import Glibc
import Testing

@Suite("audispatch-kernel --capture")
struct CaptureFilters {
  private let messages: [Message]

  init() throws { messages = try Corpus.messages("kernel-6.18.nlmsg") }

  @Test func `writes a binary record for each message, and ends with the input`() async throws {
    let scratch = try Scratch()
    let status = try await Program.run(
      "$KERNEL --capture --raw < $CORPUS/kernel-6.18.nlmsg > out", in: scratch.path)
    let records = BinaryRecord.all(in: try scratch.bytes("out"))
    let expected = messages.map { BinaryRecord(version: 0, type: $0.type, $0.text) }
    #expect(status == 0)
    #expect(records == expected)
  }

  @Test func `waits for a reader that is slow, and drops nothing`() async throws {
    let scratch = try Scratch()
    try await Program.run(
      "$KERNEL --capture --raw < $CORPUS/kernel-6.18.nlmsg | (sleep 0.5; cat > out)",
      in: scratch.path)
    #expect(BinaryRecord.all(in: try scratch.bytes("out")).count == messages.count)
  }

  @Test func `ends when its reader is gone`() async throws {
    let scratch = try Scratch()
    let status = try await Program.run(
      """
      (timeout 10 $KERNEL --capture --raw; echo $? > status) \
        < <(cat $CORPUS/kernel-6.18.nlmsg; sleep 0.2; cat $CORPUS/kernel-6.18.nlmsg; sleep 1) \
        | head -c 100 > /dev/null
      """, in: scratch.path)
    let ended = try scratch.text("status")
    #expect(status == 0)
    #expect(ended == "1\n")
  }

  @Test func `says what was no message, and goes on`() async throws {
    let scratch = try Scratch()
    let status = try await Program.run(
      """
      (head -c 1000 $CORPUS/kernel-6.18.nlmsg; cat $CORPUS/oddities.nlmsg) > in
      $KERNEL --capture --raw < in > out 2> err
      """, in: scratch.path)
    let odd = try Corpus.messages("oddities.nlmsg")
    let records = BinaryRecord.all(in: try scratch.bytes("out"))
    let said = try scratch.text("err")
    #expect(status == 0)
    #expect(
      records.suffix(odd.count) == odd.map { BinaryRecord(version: 0, type: $0.type, $0.text) })
    #expect(said.hasPrefix("warning: skipped "))
    #expect(said.contains("bytes in 1 places: length 1\n"))
  }

  @Test func `publishes its counters`() async throws {
    let scratch = try Scratch()
    try await Program.run(
      "(printf x; cat $CORPUS/kernel-6.18.nlmsg) | $KERNEL --capture --counters-fd 3 3<>page > out 2> err",
      in: scratch.path)
    var expected = KernelCounters()
    expected.received = 2390
    expected.written = 2390
    expected.malformed = 1
    let counters = try scratch.counters("page")
    #expect(counters == expected)
  }

  @Test(arguments: [
    ("--node web1", "node=web1 type=ADD_GROUP"),
    ("--name-format user --name web2", "node=web2 type=ADD_GROUP"),
    ("--name-format hostname", "node=\(hostName) type=ADD_GROUP"),
    ("--name-format none", "type=ADD_GROUP"),
  ])
  func `writes the node's name`(options: String, beginning: String) async throws {
    let scratch = try Scratch()
    try await Program.run(
      "$KERNEL --capture \(options) < $CORPUS/kernel-6.18.nlmsg > out", in: scratch.path)
    let first = BinaryRecord.all(in: try scratch.bytes("out"))[0]
    #expect(String(decoding: first.payload, as: UTF8.self).hasPrefix(beginning + " msg="))
  }

  @Test(arguments: [
    "--bogus", "--node", "--node 'two words'", "--name-format x", "--counters-fd 1",
    "--queue-bytes 10",
  ])
  func `refuses what it does not understand`(options: String) async throws {
    let scratch = try Scratch()
    let status = try await Program.run("$KERNEL \(options) 2> err", in: scratch.path)
    let said = try scratch.text("err")
    #expect(status == 2)
    #expect(said.hasPrefix("error: "))
  }

  private static var hostName: String {
    var buffer = [CChar](repeating: 0, count: 256)
    _ = unsafe gethostname(&buffer, 255)
    return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

import AuditRecord
import Testing

@testable import AuditDispatch

@Suite("What came of a replayed file")
struct ReplayedFileTests {
  private func file(
    _ records: UInt64, _ malformed: [MalformedInput: UInt64] = [:], failure: String? = nil,
    unpacker: String? = nil
  ) -> ReplayedFile {
    let before = [UInt64](repeating: 7, count: MalformedInput.allCases.count)
    var file = ReplayedFile(name: "/a", records: 100, malformed: before, unpacker: unpacker)
    file.end(
      records: 100 + records,
      malformed: MalformedInput.allCases.map { 7 + (malformed[$0] ?? 0) }, failure: failure)
    return file
  }

  @Test func `is nothing to speak of when every line was a record`() {
    #expect(file(3).message == nil)
    #expect(!file(3).isIncomplete)
  }

  @Test func `counts lines that were no records, which are no failure`() {
    #expect(file(3, [.notARecord: 2]).message == "/a: 2 of 5 lines are no records")
    #expect(file(3, [.notARecord: 1]).message == "/a: 1 of 4 lines is no record")
    #expect(!file(3, [.notARecord: 2]).isIncomplete)
  }

  @Test func `is a failure without a record`() {
    #expect(file(0).message == "/a: no record is in it; it is empty")
    #expect(
      file(0, [.notARecord: 20]).message == "/a: no record is in it; 20 lines are no records")
    #expect(file(0).isIncomplete && file(0, [.notARecord: 20]).isIncomplete)
  }

  @Test func `names what would unpack it`() {
    #expect(
      file(0, [.badHeader: 1], unpacker: "xz -dc").message
        == "/a: no record is in it; bad header: once; unpack it with 'xz -dc' first")
  }

  @Test func `is a failure when not all of it could be read`() {
    let cut = file(3, [.truncated: 1], failure: "/bin/gzip ended with exit status 1")
    #expect(
      cut.message
        == "/a: not all of it could be read: /bin/gzip ended with exit status 1; cut off: once")
    #expect(cut.isIncomplete && file(3, [.truncated: 1]).isIncomplete)
  }
}

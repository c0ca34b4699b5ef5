import AuditRecord
import Configuration
import Journal
import Linux
import Testing

@testable import AuditDispatch

@Suite("What is counted of a source")
struct SourceCountTests {
  @Test func `was made of it here never goes down, whatever turns out to be other hosts'`() throws {
    let source = Source(
      kind: "kernel", canWait: false, framing: .automatic, survivor: try Survivor(held: nil),
      predecessor: nil, hasSameStream: false)
    let journal = Journal()
    let pipe = try Pipe()
    let output = pipe.writing
    source.open(pipe.reading)
    let lines = (1...3).map { "type=USER msg=audit(1700000000.001:\($0)): n=1\n" }
    let bytes = Array(lines.joined().utf8)
    let written = unsafe bytes.withUnsafeBytes { unsafe Transfer.write(output.number, $0) }
    guard case .bytes(bytes.count) = written, case .bytes = source.fill() else {
      Issue.record("the pipe took \(written)")
      return
    }
    journal.beginBatch()
    source.takeRecords(limit: 10, into: journal, isNeeded: false)
    #expect(source.made == 3 && source.ownRecords == 3)
    for _ in 0..<4 { source.countForeign(bytes: 10) }
    #expect(source.made == 3 && source.ownRecords == 3 && source.records == 7)
    // All of it, as far as a successor knows.
    source.adoptForeign(records: 9, bytes: 90, malformed: 0)
    #expect(source.made == 3 && source.ownRecords == 0)
  }
}

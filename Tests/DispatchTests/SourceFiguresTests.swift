import AuditRecord
import Linux
import Testing

@testable import AuditDispatch

@Suite("What is counted of a source")
struct SourceFiguresTests {
  private func figures(made: Int, of bytes: Int) -> SourceFigures {
    var figures = SourceFigures()
    figures.noteRead(bytes: bytes)
    figures.noteMade(records: made)
    return figures
  }

  @Test func `was made of it here never goes down, whatever turns out to be other hosts'`() {
    var figures = figures(made: 3, of: 30)
    #expect(figures.made == 3 && figures.ownRecords == 3 && figures.ownBytes == 30)
    for _ in 0..<4 { figures.noteForeign(bytes: 10) }
    #expect(figures.made == 3 && figures.ownRecords == 3 && figures.ownBytes == 30)
    #expect(figures.records == 7 && figures.bytes == 70)
    // All of it, as far as a successor knows.
    figures.adoptForeign(records: 9, bytes: 90, malformed: 0)
    #expect(figures.made == 3 && figures.ownRecords == 0 && figures.ownBytes == 0)
  }

  @Test func `was skipped is counted by kind, and apart from what others sent`() {
    var figures = figures(made: 0, of: 0)
    for kind in MalformedInput.allCases {
      figures.noteSkipped(kind)
      figures.noteForeignSkipped(kind)
    }
    #expect(figures.malformed == MalformedInput.allCases.map { _ in 2 })
    #expect(figures.malformed[.truncated] == 2)
    #expect(figures.malformedTotal == 2 * UInt64(MalformedInput.allCases.count))
    #expect(figures.ownMalformed == UInt64(MalformedInput.allCases.count))
    figures.adoptForeign(records: 0, bytes: 0, malformed: .max)
    #expect(figures.ownMalformed == 0)
  }

  @Test func `was skipped is said at a low rate, with the first sample`() {
    let now = Moment(nanoseconds: 0)
    var report = MalformedReport()
    #expect(report.message(now, total: 0) == nil)
    report.note(.truncated, Array("first".utf8))
    report.note(.badHeader, Array("second".utf8))
    #expect(
      report.message(now, total: 2)
        == "malformed input skipped (\(MalformedInput.truncated.rawValue)): 'first' (2 so far)")
    #expect(report.message(now, total: 2) == nil)
    report.note(.badHeader, [])
    #expect(report.message(now + .seconds(9), total: 3) == nil)
    report.note(.badHeader, Array("third".utf8))
    let later = report.message(now + .seconds(11), total: 4)
    #expect(later?.hasSuffix("'third' (4 so far, 1 reports held back)") == true)
  }
}

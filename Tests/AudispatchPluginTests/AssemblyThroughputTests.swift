import Glibc
import Linux
import Testing

@testable import AudispatchPlugin

/// A measurement, not a claim: run it with `swift test -c release` and AUDISPATCH_MEASURE=1.
@Suite("Assembly at speed")
struct AssemblyThroughputTests {
  @Test(.enabled(if: measures, "takes seconds, and says something only in a release build"))
  func `takes 300,000 records a second and every field of them`() {
    let rounds = 100
    var records = 0
    var events = 0
    var fields = 0
    let start = Moment.now
    var stream = RecordStream()
    var assembler = EventAssembler()
    for _ in 0..<rounds {
      var rest = Corpus.bytes[...]
      while !rest.isEmpty {
        rest = rest.dropFirst(stream.fill(with: rest))
        while stream.next(ended: false, { assembler.append($0, $1, type: $2, at: .zero) }) {
          while let event = assembler.next() {
            events += 1
            for record in event.records {
              records += 1
              var scanner = FieldScanner(body: record.body, end: record.line.upperBound)
              while scanner.next(event.bytes.span) != nil { fields += 1 }
            }
          }
        }
      }
    }
    let seconds = (Moment.now - start).inSeconds
    let rate = Double(records) / seconds
    print("\(Int(rate)) records/s, \(events) events, \(fields) fields in \(seconds) s")
    #expect(events == rounds * 567)
    #expect(rate >= 300_000)
  }
}

private let measures = unsafe getenv("AUDISPATCH_MEASURE") != nil

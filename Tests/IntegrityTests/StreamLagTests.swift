import Testing

@testable import audispatch_integrity

@Suite("How late the stream is")
struct StreamLagTests {
  private func attribution(_ gap: String? = nil, _ deeds: Deed...) -> Attribution {
    Attribution(
      of: Recorded.subject(
        Recorded.state(inode: 60, changed: 1), Recorded.state(inode: 60, changed: 10)),
      from: deeds,
      gaps: gap.map { [StreamGap(from: .min, to: .max, reason: $0)] } ?? [], keys: Recorded.keys)
  }

  private func lag(_ milliseconds: Int64) -> StreamLag {
    var lag = StreamLag(from: 0)
    lag.note(1000, at: 1000 + milliseconds, .zero)
    return lag
  }

  @Test func `has a change wait as long as records take, however it was found`() throws {
    let line = Recorded.call(
      2, "a0=0 a1=1", second: 10, serial: 2,
      paths: [Recorded.path("\"file\"", inode: 60, "NORMAL")])
    let deed = try #require(Recorded.events(line).first.flatMap { Deed($0) })
    let late = attribution(StreamGaps.endsBefore)
    let rows: [(Int64, Attribution, isFound: Bool, tries: Int)] = [
      (0, late, true, 24), (0, late, false, 24), (15_000, late, true, 34),
      (15_000, late, false, 34), (3_600_000, late, true, 34),
      (15_000, attribution(StreamGaps.endsBefore, deed), true, 34),
      (15_000, attribution("1 event is \(StreamGaps.missing)", deed), false, 34),
      (15_000, attribution(), true, 0), (15_000, attribution(), false, 4),
      (15_000, attribution("the stream begins later", deed), false, 0),
      (15_000, attribution(nil, deed), false, 0),
    ]
    for (milliseconds, attribution, isFound, tries) in rows {
      #expect(
        lag(milliseconds).tries(for: attribution, isFound: isFound) == tries,
        "\(milliseconds) \(attribution.reasons) \(isFound)")
    }
  }

  @Test func `keeps no change until what a package manager did is explained`() {
    let tries = lag(.max / 2).tries(for: attribution(StreamGaps.endsBefore), isFound: false)
    #expect(IntegrityPlugin.settleTime * tries < UpdateWatch.patience)
    #expect(IntegrityPlugin.settleTime * StreamProof.tries < UpdateWatch.patience)
  }

  @Test func `is that of records that were made since it is read`() {
    var lag = StreamLag(from: 100_000)
    // A backlog: older ones are as late as they come after the start.
    lag.note(1000, at: 100_100, .zero)
    #expect(lag.milliseconds == 0)
    lag.note(1000, at: 103_000, .seconds(3))
    #expect(lag.milliseconds == 3000)
    lag.note(103_000, at: 103_250, .seconds(3))
    lag.note(103_000, at: 104_000, .seconds(4))
    #expect(lag.milliseconds == 3000)
    lag.note(.max, at: 104_000, .seconds(5))
    #expect(lag.milliseconds == 3000)
    #expect(lag.reach(at: 160_000, .seconds(64)) == 157_000)
    // Forgotten a minute after the last one that was late.
    #expect(lag.reach(at: 160_001, .milliseconds(64_001)) == 159_751)
    #expect(lag.milliseconds == 0)
  }
}

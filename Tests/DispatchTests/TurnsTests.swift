import Linux
import Testing

@testable import AuditDispatch

@Suite("Turns of this host's source and of others")
struct TurnsTests {
  private func at(_ milliseconds: Int) -> Moment {
    Moment(nanoseconds: 1_000_000_000 + Int64(milliseconds) * 1_000_000)
  }

  /// Whether others have their turn, and whether the source is kept.
  private func look(_ turns: inout Turns, _ isSettled: Bool, _ milliseconds: Int) -> [Bool] {
    let isTurn = turns.look(isSettled: isSettled, at(milliseconds))
    return [isTurn, turns.holdsSource]
  }

  @Test func `are others' at once when the log has all, and the source rests until they had it`() {
    var turns = Turns()
    #expect(look(&turns, true, 0) == [true, true])
    turns.end()
    #expect(!turns.holdsSource)
  }

  @Test func `come when the log catches up of itself`() {
    var turns = Turns()
    #expect(look(&turns, false, 0) == [false, false])
    #expect(look(&turns, false, 4) == [false, false])
    #expect(look(&turns, true, 4) == [true, true])
  }

  /// At no time is the source kept for longer than 20 ms, nor for more than a fifth of the time.
  @Test func `keep a source for 20 ms of 100 at most while the disk takes nothing`() {
    var turns = Turns()
    var held: [Int] = []
    for millisecond in 0..<1000 {
      let isTurn = turns.look(isSettled: false, at(millisecond))
      #expect(!isTurn)
      if turns.holdsSource { held.append(millisecond) }
    }
    #expect(turns.since == at(0))
    #expect(held.first == 5 && held.count == 200)
    for start in held.indices.dropLast(20) { #expect(held[start + 20] - held[start] > 20) }
  }

  @Test func `begin anew when the receiver is gone`() {
    var turns = Turns()
    _ = turns.look(isSettled: false, at(0))
    #expect(look(&turns, false, 5) == [false, true])
    turns.end()
    #expect(!turns.holdsSource && turns.since == nil)
  }
}

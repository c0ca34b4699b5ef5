import Linux
import Testing

@testable import AuditDispatch

/// When a worker goes on with the input that another front has brought.
@Suite("One input behind another")
struct InputSuccessionTests {
  private static func at(_ milliseconds: Int64) -> Moment {
    Moment(nanoseconds: milliseconds * 1_000_000)
  }

  private static func inputs(
    came: [Int64] = [], ended: Int64? = nil, wait: Duration? = .seconds(10)
  ) -> InputSuccession {
    var inputs = InputSuccession(wait: wait)
    for moment in came { inputs.came(at(moment)) }
    if let ended { inputs.presentEnded(at(ended)) }
    return inputs
  }

  private typealias Step = InputSuccession.Step

  /// Inputs that came; the present one's end; now; whether the log has all, and the keeper hears.
  private static let table: [([Int64], Int64?, Int64, Bool, Bool, Step)] = [
    ([], nil, 0, true, true, .nothing),
    ([], nil, 99_999, false, false, .nothing),
    ([], 5, 6, true, true, .look(at: at(12_005))),
    ([], 5, 12_004, true, true, .look(at: at(12_005))),
    ([], 5, 12_005, true, true, .stop),
    ([7], nil, 8, true, true, .look(at: at(1007))),
    ([7, 9], nil, 1006, true, true, .look(at: at(1007))),
    ([7, 9], nil, 1007, true, true, .cut),
    ([7], 5, 8, true, true, .goOn),
    ([5], 7, 8, true, true, .goOn),
    ([7], 5, 8, false, true, .look(at: at(9))),
    ([7], 5, 8, true, false, .look(at: at(9))),
    ([7], 5, 1006, false, false, .look(at: at(1007))),
    ([7], 5, 1007, false, false, .goOn),
    ([5], 7, 1006, false, false, .look(at: at(1007))),
    ([5], 7, 1007, false, false, .goOn),
  ]

  @Test(arguments: table.indices)
  func `goes as the table says`(_ index: Int) {
    let (came, ended, now, isSettled, keeperHears, step) = Self.table[index]
    let inputs = Self.inputs(came: came, ended: ended)
    #expect(
      inputs.step(
        Self.at(now), waiting: came.count, isSettled: isSettled, keeperHears: keeperHears) == step)
  }

  private func step(
    _ inputs: InputSuccession, _ milliseconds: Int64, waiting: Int
  ) -> Step {
    inputs.step(Self.at(milliseconds), waiting: waiting, isSettled: true, keeperHears: true)
  }

  @Test func `cuts one again only when the next has waited as long once more`() {
    var inputs = Self.inputs(came: [0])
    #expect(step(inputs, 1000, waiting: 1) == .cut)
    inputs.wasCut(Self.at(1000))
    #expect(step(inputs, 1001, waiting: 1) == .look(at: Self.at(2000)))
  }

  @Test func `ends without a keeper, but for inputs that have come`() {
    var inputs = Self.inputs(ended: 5, wait: nil)
    #expect(step(inputs, 6, waiting: 0) == .stop)
    inputs = Self.inputs(came: [1, 2], ended: 5)
    inputs.keeperIsGone()
    for left in [1, 0] {
      #expect(step(inputs, 6, waiting: left + 1) == .goOn)
      inputs.wentOn(waiting: left)
      inputs.presentEnded(Self.at(6))
    }
    #expect(step(inputs, 6, waiting: 0) == .stop)
  }
}

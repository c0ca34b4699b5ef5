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
      inputs.step(Self.at(now), isSettled: isSettled, keeperHears: keeperHears) == step)
  }

  @Test func `cuts one again only when the next has waited as long once more`() {
    var inputs = Self.inputs(came: [0])
    #expect(inputs.step(Self.at(1000), isSettled: true, keeperHears: true) == .cut)
    inputs.wasCut(Self.at(1000))
    #expect(
      inputs.step(Self.at(1001), isSettled: true, keeperHears: true) == .look(at: Self.at(2000)))
  }

  @Test func `ends without a keeper, but for inputs that have come`() {
    var inputs = Self.inputs(ended: 5, wait: nil)
    #expect(inputs.step(Self.at(6), isSettled: true, keeperHears: true) == .stop)
    inputs = Self.inputs(came: [1, 2], ended: 5)
    inputs.keeperIsGone()
    for left in [1, 0] {
      #expect(inputs.step(Self.at(6), isSettled: true, keeperHears: true) == .goOn)
      inputs.wentOn()
      #expect(inputs.waiting == left)
      inputs.presentEnded(Self.at(6))
    }
    #expect(inputs.step(Self.at(6), isSettled: true, keeperHears: true) == .stop)
  }
}

import Linux
import Testing

@testable import AuditDispatch

@Suite("Whether the receiver does its work")
struct LivenessTests {
  private func at(_ seconds: Double) -> Moment {
    Moment(nanoseconds: 1_000_000_000 + Int64(seconds * 1e9))
  }

  private func look(
    _ liveness: inout Liveness, _ seconds: Double, isRead: Bool = true
  ) -> Liveness.Step {
    liveness.look(at(seconds), isRead: isRead)
  }

  private func answered(_ liveness: inout Liveness, _ number: UInt32) -> Bool {
    liveness.answered(number)
  }

  @Test func `is asked each two seconds, as long as it answers`() {
    var liveness = Liveness()
    var asked: [Double] = []
    for tenth in 0..<100 {
      let time = Double(tenth) / 10
      guard case .ask(let number) = look(&liveness, time) else { continue }
      asked.append(time)
      #expect(!answered(&liveness, number))
    }
    #expect(asked == [0, 2, 4, 6, 8])
  }

  @Test func `is doubted after four seconds of silence, and given up after twelve`() {
    var liveness = Liveness()
    var steps: [(Int, Liveness.Step)] = []
    for second in 0...13 {
      let step = look(&liveness, Double(second))
      if step != .nothing { steps.append((second, step)) }
      if case .giveUp = step { break }
    }
    #expect(steps.map(\.0) == [0, 4, 12])
    #expect(steps.map(\.1) == [.ask(1), .report(.seconds(4)), .giveUp(.seconds(12))])
  }

  @Test func `is proven by the answer to the latest question alone`() {
    var liveness = Liveness()
    #expect(look(&liveness, 0) == .ask(1))
    #expect(!answered(&liveness, 0))
    for second in 1...3 { #expect(look(&liveness, Double(second)) == .nothing) }
    #expect(look(&liveness, 4) == .report(.seconds(4)))
    // Its silence was said, and is over.
    #expect(answered(&liveness, 1))
    #expect(look(&liveness, 5) == .ask(2))
    #expect(!answered(&liveness, 1))
    #expect(look(&liveness, 8) == .nothing)
    #expect(look(&liveness, 9) == .report(.seconds(4)))
  }

  @Test func `is not doubted while nothing is read of it`() {
    var liveness = Liveness()
    #expect(look(&liveness, 0) == .ask(1))
    for second in 1...100 { #expect(look(&liveness, Double(second), isRead: false) == .nothing) }
    #expect(look(&liveness, 101) == .nothing)
  }

  @Test func `is not doubted for time in which nobody looked`() {
    var liveness = Liveness()
    #expect(look(&liveness, 0) == .ask(1))
    // This process was stopped as well.
    #expect(look(&liveness, 3600) == .nothing)
    #expect(look(&liveness, 3601) == .report(.seconds(4)))
  }
}

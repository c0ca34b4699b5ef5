import Linux
import Testing

@testable import AuditDispatch

@Suite("When each owner is asked next")
struct DeadlinesTests {
  private func at(_ nanoseconds: Int64) -> Moment { Moment(nanoseconds: nanoseconds) }

  @Test("nobody is due before anybody has stated a moment")
  func nothing() {
    var deadlines = Deadlines()
    #expect(deadlines.least == Deadlines.never)
    let due = deadlines.takeDue(at(1000))
    for waiter in Waiter.allCases { #expect(!due.contains(waiter)) }
  }

  @Test("each is due alone, at its moment and not before", arguments: Waiter.allCases)
  func alone(_ waiter: Waiter) {
    var deadlines = Deadlines()
    deadlines.state(waiter, at(10))
    #expect(deadlines.least == at(10))
    #expect(!deadlines.takeDue(at(9)).contains(waiter))
    let due = deadlines.takeDue(at(10))
    for other in Waiter.allCases {
      #expect(due.contains(other) == (other == waiter || waiter == .everybody))
    }
    #expect(deadlines == Deadlines(), "what came is forgotten")
  }

  @Test("a later moment does not put off an earlier one")
  func earliest() {
    var deadlines = Deadlines()
    deadlines.state(.remote, at(10))
    deadlines.state(.remote, at(20))
    #expect(deadlines.takeDue(at(10)).contains(.remote))
    #expect(deadlines.least == Deadlines.never)
  }

  @Test("the least is that of all that are left, in each order of stating")
  func least() {
    let stated: [(Waiter, Int64)] = [(.input, 30), (.everybody, 20), (.plugins, 10)]
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
      var deadlines = Deadlines()
      for index in order { deadlines.state(stated[index].0, at(stated[index].1)) }
      #expect(deadlines.least == at(10))
      #expect(deadlines.takeDue(at(15)).contains(.plugins))
      #expect(deadlines.least == at(20))
      let due = deadlines.takeDue(at(20))
      #expect(due.contains(.everybody) && due.contains(.input) && due.contains(.plugins))
      #expect(deadlines.least == at(30), "whoever was asked with all keeps its own moment")
      #expect(deadlines.takeDue(at(30)).contains(.input))
    }
  }
}

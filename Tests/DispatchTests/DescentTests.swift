import Glibc
import Testing

@testable import AuditDispatch

@Suite("Whom a process descends from")
struct DescentTests {
  private func process(_ pid: Int32, _ name: String = "sh", start: UInt64 = 7) -> ProcessFacts {
    ProcessFacts(pid: pid, parent: 1, name: name, start: start)
  }

  private func child(_ pid: Int32, _ start: UInt64) -> ChildrenList.Child {
    ChildrenList.Child(pid: pid, start: start, name: "p")
  }

  @Test func `is a plugin anywhere in the line, by its number and start`() {
    let descent = Descent(ancestors: [process(30), process(20), process(10)])
    for pid in [Int32(10), 20, 30] {
      #expect(descent.isOf([child(5, 7), child(pid, 7)], keeper: nil))
    }
    #expect(!descent.isOf([child(20, 8), child(5, 7)], keeper: nil))
    #expect(!descent.isOf([], keeper: nil))
    #expect(!Descent(ancestors: []).isOf([child(20, 7)], keeper: 20))
  }

  @Test func `is the keeper, if what has that number now is one`() {
    let ours = Descent(ancestors: [process(30), process(20, "audispatchd"), process(1, "init")])
    #expect(ours.isOf([], keeper: 20))
    #expect(!ours.isOf([], keeper: 30))
    #expect(!ours.isOf([], keeper: 40))
  }

  @Test func `is read of the kernel's words, whatever a program is called`() throws {
    let text = "42 (a) b (c) S 7 42 42 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 1 0 99 1 2\n"
    let facts = try #require(ProcessFacts(stat: Array(text.utf8), of: 42))
    #expect(facts == ProcessFacts(pid: 42, parent: 7, name: "a) b (c", start: 99))
    #expect(ProcessFacts(stat: Array(text.replacing(") S ", with: ") Z ").utf8), of: 42) == nil)
    for bad in ["", "42", "42 (a", "42 a)", ")(", "42 (a) S x", "42 (a) S 7 1 2 3"] {
      #expect(ProcessFacts(stat: Array(bad.utf8), of: 42) == nil)
    }
    let own = try #require(ProcessFacts(getpid()))
    #expect(own.parent == getppid())
    #expect(Descent.own.ancestors.first?.pid == getppid())
  }
}

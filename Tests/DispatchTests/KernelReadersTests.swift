import Testing

@testable import AuditDispatch

@Suite("A reader of the kernel")
struct KernelReadersTests {
  @Test func `has failed only if it gave no record`() throws {
    let readers = try KernelReaders()
    for taken: UInt64 in [0, 5] {
      _ = try readers.begin(taken: taken)
      #expect(!readers.hasGiven(taken: taken))
      #expect(readers.hasGiven(taken: taken + 1))
    }
  }
}

import RemoteProtocol
import Testing

@Suite("The ledger of figures")
struct FigureLedgerTests {
  private static func withMemory(_ body: (UnsafeMutableRawPointer) -> Void) {
    let memory = UnsafeMutableRawPointer.allocate(
      byteCount: FigureLedger.byteCount, alignment: 16)
    unsafe memory.initializeMemory(as: UInt8.self, repeating: 0, count: FigureLedger.byteCount)
    unsafe body(memory)
    unsafe memory.deallocate()
  }

  @Test func `is found by who comes next, and forgets all when told to`() {
    unsafe Self.withMemory { memory in
      let ledger = unsafe FigureLedger(memory)
      #expect(ledger.names == [] && ledger.figures(of: "a b") == nil)
      ledger.store([1, 2, 3], as: "a b")
      ledger.store([.max], as: "é")
      ledger.store([4, 5, 6], as: "a b")
      let next = unsafe FigureLedger(memory)
      #expect(next.names == ["a b", "é"])
      #expect(next.figures(of: "a b") == [4, 5, 6, 0, 0, 0, 0, 0])
      #expect(next.figures(of: "é")?.first == .max)
      next.clear()
      #expect(unsafe FigureLedger(memory).names == [])
      next.store([7], as: "c")
      #expect(unsafe FigureLedger(memory).figures(of: "c") == [7, 0, 0, 0, 0, 0, 0, 0])
    }
  }

  @Test func `has room for so many, and takes no name that is too long`() {
    unsafe Self.withMemory { memory in
      let ledger = unsafe FigureLedger(memory)
      let long = String(repeating: "x", count: FigureLedger.longestName)
      ledger.store([1], as: "")
      ledger.store([1], as: long + "x")
      #expect(ledger.names == [])
      ledger.store([1], as: long)
      for number in 1..<FigureLedger.slots + 5 { ledger.store([UInt64(number)], as: "\(number)") }
      let next = unsafe FigureLedger(memory)
      #expect(next.names.count == FigureLedger.slots)
      #expect(next.figures(of: long)?.first == 1)
      #expect(
        next.figures(of: "\(FigureLedger.slots - 1)")?.first == UInt64(FigureLedger.slots - 1))
      #expect(next.figures(of: "\(FigureLedger.slots)") == nil)
    }
  }
}

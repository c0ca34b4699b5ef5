import Testing

@testable import ProcessContext

@Suite("Variables that were asked for")
struct WantedVariablesTests {
  private func found(_ names: [String], _ all: [String], most: Int = 256) -> [String] {
    WantedVariables(names.map { Array($0.utf8) })
      .found(in: all.flatMap { Array($0.utf8) + [0] }, most: most)
      .map { "\(text($0.name)):\(text($0.value))" }
  }

  private let all = ["FOO=b=c", "HOME=/", "LD_PRELOAD=", "LD", "=x", "", "FOOD=x", "odd", "LD_X=1"]

  @Test func `are found by name and by beginning`() {
    #expect(found(["FOO"], all) == ["FOO:b=c"])
    #expect(found(["LD_*"], all) == ["LD_PRELOAD:", "LD_X:1"])
    #expect(found(["LD_X", "FOO*"], all) == ["FOO:b=c", "FOOD:x", "LD_X:1"])
    #expect(found(["LD", "odd", "FO", "FOO=b"], all).isEmpty)
    #expect(found([], all).isEmpty)
  }

  @Test func `are all for an asterisk, as long as there is room`() {
    #expect(
      found(["*"], all) == [
        "FOO:b=c", "HOME:/", "LD_PRELOAD:", ":x", "FOOD:x", "LD_X:1",
      ])
    #expect(found(["*"], all, most: 2) == ["FOO:b=c", "HOME:/"])
  }

  @Test func `are found behind a last one that has no end`() {
    let wanted = WantedVariables([Array("A".utf8)])
    #expect(wanted.found(in: Array("B=1\0A=2".utf8), most: 9).map { text($0.value) } == ["2"])
    #expect(wanted.found(in: [], most: 9).isEmpty)
  }
}

import AudispatchPlugin
import Testing

@testable import audispatch_integrity

@Suite("The canary")
struct CanaryTests {
  private let root = FilePath("/watched")

  /// What audit tells of one flight.
  private func deeds(auid: String) -> [Deed] {
    let folder = Recorded.path("\"/watched/.audispatch-canary\"", inode: 70, "PARENT")
    func step(_ name: String, _ kind: String) -> String {
      Recorded.path("\"/watched/.audispatch-canary/\(name)\"", inode: 71, kind)
    }
    let calls = [
      (2, "a0=0 a1=c1", [folder, step("step", "CREATE")]),
      (90, "a0=0 a1=1a0", [step("step", "NORMAL")]),
      (82, "a0=0 a1=0", [folder, folder, step("step", "DELETE"), step("done", "CREATE")]),
      (87, "a0=0", [folder, step("done", "DELETE")]),
    ]
    let lines = calls.enumerated().map { index, call in
      Recorded.call(
        call.0, call.1, auid: auid, second: 10 + index, serial: 2 + index, paths: call.2)
    }
    return Recorded.events(lines.joined(separator: "\n")).compactMap { Deed($0) }
  }

  private var flying: Canary {
    var canary = Canary(in: root, login: 1000)
    canary.begin(at: .zero)
    return canary
  }

  private let seen = FileNotice(
    path: FilePath("/watched/.audispatch-canary/step"), isFolder: false, hasArrived: true,
    hasLeft: false, witness: nil)

  @Test func `proves that all comes back`() {
    var canary = flying
    for deed in deeds(auid: "1000") { canary.take(deed) }
    #expect(canary.findings == ["the watch of the files has not seen it"])
    canary.take(seen)
    #expect(canary.isProven)
    #expect(canary.findings == [])
  }

  @Test func `says which step is not told`() {
    for missing in Canary.Step.allCases.indices {
      var canary = flying
      canary.take(seen)
      for (index, deed) in deeds(auid: "1000").enumerated() where index != missing {
        canary.take(deed)
      }
      #expect(!canary.isProven)
      #expect(
        canary.findings == ["audit does not tell that it was \(Canary.Step.allCases[missing])"])
    }
  }

  @Test func `is not proven by others' doings, or by those of another flight`() {
    var canary = flying
    canary.take(seen)
    for deed in deeds(auid: "0") { canary.take(deed) }
    #expect(canary.findings == ["no audit record of it has come"])
    for deed in deeds(auid: "1000") { canary.take(deed) }
    #expect(canary.isProven)
    canary.begin(at: .seconds(1))
    #expect(!canary.isProven)
  }
}

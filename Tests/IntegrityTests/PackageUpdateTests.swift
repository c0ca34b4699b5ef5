import Testing

@testable import audispatch_integrity

@Suite("A package update")
struct PackageUpdateTests {
  @Test func `names some processes, and counts the others once`() {
    var update = PackageUpdate([])
    let count = UInt32(SeenManagers.most)
    for _ in 0..<2 {
      for pid in 1...count + 3 {
        var witness = Witness(pid: pid, login: .unset, session: nil)
        witness.manager = [
          Deed.Program(pid: pid, executable: Management.program, arguments: [Array("dpkg".utf8)])
        ]
        update.seen.note(witness)
      }
    }
    update.seen.join(update.seen)
    #expect(update.seen.named.map(\.pid).sorted() == Array(1...count))
    #expect(update.seen.others.count == 3)
    let lines = TextReport.lines(update).filter { $0.hasPrefix("  seen ") }
    #expect(lines.count == Int(count) + 1)
    #expect(lines.last == "  seen    and 3 more")
    let json = JSONReport.line(update, .origin, at: 0)
    #expect(json.contains("\"seen_more\":3"), "\(json)")
  }

  @Test func `counts none that it names as another, whoever has counted it`() {
    func seen(_ pids: ClosedRange<UInt32>) -> SeenManagers {
      var seen = SeenManagers()
      for pid in pids {
        var witness = Witness(pid: pid, login: .unset, session: nil)
        witness.manager = [
          Deed.Program(pid: pid, executable: Management.program, arguments: [Array("dpkg".utf8)])
        ]
        seen.note(witness)
      }
      return seen
    }
    let count = UInt32(SeenManagers.most)
    var one = seen(1...5)
    // Has named others, and counted 3 and 4.
    var other = seen(100...99 + count)
    other.join(seen(3...4))
    #expect(other.others == [3, 4])
    one.join(other)
    #expect(one.named.count == SeenManagers.most)
    #expect(
      one.others
        == Set(
          (100...99 + count).filter { pid in
            !one.named.contains { $0.pid == pid }
          }))
  }
}

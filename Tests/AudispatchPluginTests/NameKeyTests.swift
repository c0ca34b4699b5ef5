import AudispatchPlugin
import Testing

@Suite("A field's name as a number")
struct NameKeyTests {
  @Test func `is the same wherever the name stands`() {
    for length in 1...24 {
      let name = (0..<length).map { UInt8(0x61 + $0) }
      let alone = NameKey(name)
      for before in 0..<9 {
        for behind in 0..<9 {
          let line =
            [UInt8](repeating: 0xff, count: before) + name
            + [UInt8](repeating: 0xff, count: behind)
          #expect(NameKey(line.span, before..<before + length) == alone)
        }
      }
    }
    #expect(NameKey("") == NameKey([]))
    #expect(NameKey("syscall") == NameKey(Array("syscall".utf8)))
    #expect(NameKey("proctitle") == NameKey(Array("proctitle".utf8)))
    #expect(NameKey("audit_backlog_wait_time") == NameKey(Array("audit_backlog_wait_time".utf8)))
  }

  @Test func `of at most seven bytes belongs to one name`() {
    #expect(NameKey("syscall").isExact && !NameKey("scontext").isExact)
    let names: [[UInt8]] = [
      [], [0], [0, 0], [0x61], [0x61, 0], [0, 0x61], Array("a0".utf8), Array("a00".utf8),
      Array("exe".utf8), Array("exes".utf8), [UInt8](repeating: 0xff, count: 7),
      [UInt8](repeating: 0xff, count: 8), [UInt8](repeating: 0, count: 7),
      [UInt8](repeating: 0, count: 8), Array("old-auid".utf8), Array("old_auid".utf8),
    ]
    #expect(Set(names.map { NameKey($0) }).count == names.count)
  }

  @Test func `of longer ones depends on every byte`() {
    let name = [UInt8](repeating: 0x61, count: 23)
    for place in name.indices {
      var other = name
      other[place] = 0x62
      #expect(NameKey(other) != NameKey(name))
    }
  }
}

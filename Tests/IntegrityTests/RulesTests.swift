import AudispatchPlugin
import Configuration
import Linux
import Testing

@testable import audispatch_integrity

@Suite("Rules of the kernel's audit")
struct RulesTests {
  private let place = WatchRules.Place(path: FilePath("/watched"), isFolder: true)
  private var ours: [AuditRule] {
    WatchRules.rules(for: place, key: "key") + WatchRules.unnamed(key: "key")
  }

  private func coverage(_ rules: [AuditRule], enabled: UInt32? = 1) -> Coverage {
    Coverage(of: [place], key: "key", among: rules, enabled: enabled)
  }

  @Test func `come back from the kernel's form as they are`() {
    #expect(!ours.isEmpty)
    for rule in ours {
      #expect(AuditRule(rule.encoded(isFirst: true)) == rule)
      #expect(rule.encoded(isFirst: true) != rule.encoded(isFirst: false))
      #expect(rule.key == Array("key".utf8))
    }
  }

  @Test func `are not taken from what is cut or makes no sense`() {
    let bytes = ours[0].encoded(isFirst: false)
    for count in [0, 1, 100, bytes.count - 4, bytes.count - 1] {
      #expect(AuditRule(Array(bytes.prefix(count))) == nil, "\(count)")
    }
    var fields = bytes
    fields[8] = 255
    #expect(AuditRule(fields) == nil)
  }

  @Test func `are whole when all are there, in whatever order`() {
    #expect(coverage(ours).isWhole)
    #expect(coverage(ours.reversed()).isWhole)
    let less = coverage(Array(ours.dropFirst()))
    #expect(less.missing == [place: [ours[0]]])
    #expect(less.lines == ["1 rule of /watched missing"])
    let unnamed = coverage(Array(ours.dropLast()))
    #expect(unnamed.missing.isEmpty && unnamed.missingUnnamed == [ours[ours.count - 1]])
    #expect(unnamed.lines == ["1 rule of chattr(1) and fs-verity missing"] && !unnamed.isWhole)
    #expect(coverage([]).missingCount == ours.count)
  }

  #if arch(x86_64)
    @Test func `tell of calls that name no file, or are not what the kernel calls writing`() {
      let requests = WatchRules.unnamed(key: "key").compactMap { rule -> UInt32? in
        #expect([[16], [54]].contains(rule.calls) && rule.fields.contains(.success))
        for case .request(let number) in rule.fields { return number }
        return nil
      }
      let each: [UInt32] = [0x4008_6602, 0x4004_6602, 0x401c_5820, 0x4080_6685]
      #expect(requests == each + each)
      let calls = WatchRules.rules(for: place, key: "key").compactMap(\.calls)
      // open_by_handle_at and file_setattr, of which libaudit does not know the second.
      #expect(calls.count == 2 && calls[0].contains(304) && calls[1].contains(342))
      #expect(calls.allSatisfy { $0.contains(469) })
    }
  #endif

  @Test func `are not enough where audit is off, or others say never`() {
    let task = AuditRule(.task, .never, fields: [])
    let never = AuditRule(.exit, .never, fields: [.other(1, 77)])
    #expect(coverage(ours, enabled: 0).problems == ["audit is disabled (auditctl -e 1)"])
    #expect(coverage(ours, enabled: nil).problems.count == 1)
    #expect(coverage([], enabled: 2).problems.count == 1)
    #expect(coverage(ours + [task]).problems.count == 1)
    #expect(coverage([never] + ours).problems == ["a rule 'never,exit' stands in front of ours"])
    #expect(coverage(ours + [never]).isWhole)
  }

  @Test func `say so of a root that is not there`() {
    let found = Coverage(
      of: [], key: "key", among: [], enabled: 1, roots: [FilePath("/nowhere")])
    #expect(found.problems == ["/nowhere is not there: nothing tells when it comes"])
  }

  @Test func `are asked for at mount points, whatever their names`() {
    let text = """
      22 27 0:21 / /proc rw,relatime - proc proc rw
      27 1 254:0 / / rw,relatime - ext4 /dev/root rw
      30 27 254:1 / /srv/a\\040b\\134c rw,relatime shared:1 master:2 - xfs /dev/x rw
      cut
      """
    #expect(
      MountPoints.parse(Array(text.utf8)).map(\.path.bytes) == [
        Array("/".utf8), Array("/srv/a b\\c".utf8),
      ])
  }
}

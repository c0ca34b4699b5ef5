import AudispatchPlugin
import Configuration
import Linux
import Testing

@testable import audispatch_integrity

@Suite("What is mounted")
struct MountStateTests {
  private func mount(_ number: UInt64, _ path: String) -> MountPoints.Mount {
    MountPoints.Mount(number: number, device: Array("0:1".utf8), path: FilePath(path))
  }

  private func policy() throws -> Policy {
    var options = IntegrityOptions()
    let text = ConfigurationText(Array("watch = /watched".utf8), file: "test.conf")
    for setting in text.settings {
      try IntegrityOptions.keywords.first { $0.name == setting.keyword.text }?
        .apply(&options, setting)
    }
    return options.policy
  }

  @Test func `concerns what is watched, with what is above and below it`() throws {
    let policy = try policy()
    let start = [mount(1, "/"), mount(2, "/other")]
    let rows: [(mounts: [MountPoints.Mount], affected: [String], findings: [String])] = [
      (start, [], []), (start + [mount(3, "/other/x")], [], []),
      (
        start + [mount(3, "/watched")], ["/watched"],
        ["something was mounted at /watched: what it covers is not seen"]
      ),
      (
        start + [mount(3, "/watched/d"), mount(4, "/watched/d/e")], ["/watched/d"],
        [
          "something was mounted at /watched/d: what it covers is not seen",
          "something was mounted at /watched/d/e: what it covers is not seen",
        ]
      ),
      (
        [mount(9, "/"), mount(2, "/other")], ["/watched"],
        ["/ was mounted anew: it may be another file system"]
      ),
      (
        [mount(2, "/other")], ["/watched"], ["/ was unmounted: what it held is not seen"]
      ),
    ]
    for (mounts, affected, findings) in rows {
      var state = MountState(start)
      #expect(state.take(mounts, policy) == affected.map { FilePath($0) })
      #expect(state.findings(policy) == findings)
      #expect(state.take(mounts, policy) == [])
      #expect(state.take(start, policy) == affected.map { FilePath($0) })
      // Which one it is, its number does not say.
      let isLost = findings.contains { $0.hasPrefix("/ ") }
      #expect(
        state.findings(policy)
          == (isLost ? ["/ was mounted anew: it may be another file system"] : []))
    }
  }
}

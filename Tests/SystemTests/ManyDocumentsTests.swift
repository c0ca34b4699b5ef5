import Foundation
import Testing

/// Events of many kinds into Laurel and into audispatch-json, from a file: all that Laurel writes is the
/// same in both. What differs for a reason (`Documentation/documents.md`) is not among them.
@Suite(
  "Many documents beside Laurel's", .inTurn, .enabled(if: Host.isRoot, "needs root"),
  .enabled(if: Host.has("/usr/sbin/laurel"), "needs laurel"))
struct ManyDocumentsTests {
  @Test func `have all that Laurel writes`() async throws {
    let count = 20_000
    let scratch = try Scratch()
    try LaurelDocuments.configure(scratch)
    let sleep = "/usr/bin/setpriv --pdeathsig KILL /usr/bin/sleep 600"
    let parent = try Child(
      "/bin/bash",
      ["-c", "for i in 1 2 3 4 5 6 7 8; do \(sleep) & echo $! >>\(scratch("pids")); done; wait"],
      environment: ["PATH": "/usr/bin:/bin", "TOLD": "a b"])
    defer { parent.signal(SIGKILL) }
    try await eventually("they sleep") {
      let pids = scratch.lines("pids")
      return pids.count == 8
        && pids.allSatisfy {
          (try? String(contentsOfFile: "/proc/\($0)/comm", encoding: .utf8)) == "sleep\n"
        }
    }
    func shell(_ command: String) async throws -> Outcome {
      try await run("/bin/sh", ["-c", command], within: .seconds(240))
    }
    let made = try await shell(
      "/usr/bin/python3 '\(Programs.source("many-events.py"))' \(count) \(Faults.seed) \(parent.pid) "
        + "$(cat '\(scratch("pids"))') >'\(scratch("events"))'")
    #expect(made.end == .exited(0), "\(made.error)")
    for program in [
      "/usr/sbin/laurel --config '\(scratch("config.toml"))'",
      "'\(Programs.product("audispatch-json"))' --config /dev/null "
        + "'--laurel=\(scratch("config.toml"))' '--file=\(scratch("ours.json"))'",
    ] {
      let outcome = try await shell("\(program) <'\(scratch("events"))'")
      #expect(outcome.end == .exited(0), "\(outcome.error)")
    }
    let theirs = LaurelDocuments.all("laurel.json", scratch)
    let ours = LaurelDocuments.all("ours.json", scratch)
    #expect(theirs.count == count)
    // One that is read slowly may come in parts.
    #expect(ours.count > count - 20)
    var found: [String] = []
    for (id, document) in ours {
      guard let laurel = theirs[id] else { continue }
      found += LaurelDocuments.differences(laurel, document, id)
    }
    #expect(found.isEmpty, "seed \(Faults.seed): \(found.count): \(found.prefix(20))")
  }
}

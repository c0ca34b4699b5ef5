import Foundation
import Testing

/// The unit file, judged by systemd's own tool; nothing here runs under systemd.
@Suite("The unit file")
struct UnitFileTests {
  private static let unit = {
    let root = "\(#filePath)".split(separator: "/").dropLast(3).joined(separator: "/")
    return "/\(root)/systemd/audispatchd.service"
  }()

  @Test(.enabled(if: Host.has("/usr/bin/systemd-analyze"), "needs systemd-analyze and root"))
  func `is exposed by 2.1 at most`() async throws {
    let outcome = try await run(
      "/usr/bin/systemd-analyze",
      ["security", "--offline=true", "--threshold=21", "--no-pager", Self.unit])
    #expect(outcome.end == .exited(0), "\(outcome.output) \(outcome.error)")
    #expect(outcome.output.contains("Overall exposure level for audispatchd.service: "))
  }

  /// Alone, and with what a central host adds.
  @Test(
    .enabled(if: Host.has("/usr/bin/systemd-analyze"), "needs systemd-analyze and root"),
    arguments: [false, true])
  func `is understood`(receives: Bool) async throws {
    let scratch = try Scratch()
    if receives {
      try scratch.folder("audispatchd.service.d")
      let folder = Self.unit.split(separator: "/").dropLast().joined(separator: "/")
      try scratch.write(
        String(decoding: contents("/\(folder)/receive.conf"), as: UTF8.self),
        to: "audispatchd.service.d/receive.conf")
    }
    // The programs and pages that it names need not be installed here.
    let text = String(decoding: contents(Self.unit), as: UTF8.self)
      .replacing("/usr/sbin/audispatchd", with: "/bin/true")
      .replacing("Documentation=man:audispatchd(8)\n", with: "")
    try scratch.write(text, to: "audispatchd.service")
    let outcome = try await run(
      "/usr/bin/systemd-analyze", ["verify", scratch("audispatchd.service")])
    #expect(outcome.end == .exited(0))
    #expect(outcome.error == "")
  }
}

import Foundation
import Glibc
import Linux
import Testing

/// Who may use the control socket: asked as other users.
@Suite(
  "The control socket admits", .inTurn, .enabled(if: Host.has("/usr/bin/setpriv"), "needs root"))
struct ControlAccessTests {
  /// What one of the host's users, in these groups, gets from a daemon with these settings.
  private func answer(
    _ settings: [String], as user: String, group: String, groups: String = "",
    ambient capability: String? = nil,
    after: (Audispatchd) async throws -> Void = { _ in }
  ) async throws -> (outcome: Outcome, daemon: Audispatchd) {
    let daemon = try await Audispatchd([], settings: settings)
    try await after(daemon)
    let outcome = try await run(
      "/usr/bin/setpriv",
      ["--reuid", user, "--regid", group]
        + (groups.isEmpty ? ["--clear-groups"] : ["--groups", groups])
        + (capability.map { ["--inh-caps", "+\($0)", "--ambient-caps", "+\($0)"] } ?? [])
        + [try await Programs.ask(), daemon.files.scratch("run/control.sock"), "status"])
    return (outcome, daemon)
  }

  static let cases:
    [(settings: [String], user: String, group: String, groups: String, isAdmitted: Bool)] = [
      ([], "0", "0", "", true), ([], "0", "65534", "", true), ([], "65534", "0", "", false),
      ([], "65534", "4", "4", false),
      (["control_group = adm"], "65534", "65534", "", false),
      (["control_group = adm"], "65534", "4", "", true),
      (["control_group = adm"], "65534", "65534", "77,4", true),
      (["control_group = adm"], "65534", "0", "5,6", false),
      (["control_group = 4321"], "12345", "65534", "4321", true),
      (["control_group = 4321"], "0", "0", "", true),
    ]

  @Test(arguments: cases.indices)
  func `root, and the members of its group`(_ index: Int) async throws {
    let (settings, user, group, groups, isAdmitted) = Self.cases[index]
    let (outcome, daemon) = try await answer(settings, as: user, group: group, groups: groups)
    #expect(outcome.end == .exited(isAdmitted ? 0 : EACCES))
    #expect(outcome.output.hasPrefix("ok\n{") == isAdmitted)
    try await daemon.finish()
  }

  @Test func `nobody else, even past the socket's mode, and says so`() async throws {
    let (outcome, daemon) = try await answer(
      ["control_group = adm"], as: "65534", group: "65534", ambient: "dac_override")
    #expect(outcome.end == .exited(0))
    #expect(outcome.output == "error not permitted: root and control_group may\n")
    try await eventually("the message", detail: { daemon.messages }) {
      daemon.messages.contains("control socket: refused uid 65534, pid ")
    }
    let status = String(decoding: try daemon.files.request("status"), as: UTF8.self)
    #expect(status.contains("\"control_refused\":1,") || status.contains("\"control_refused\":1}"))
    try await daemon.finish()
  }

  @Test(arguments: [(["control_group = adm"], true), ([], false)])
  func `whom a reload names`(_ settings: [String], _ isAdmitted: Bool) async throws {
    let (outcome, daemon) = try await answer(
      isAdmitted ? [] : ["control_group = adm"], as: "65534", group: "4"
    ) {
      try $0.files.configure(settings)
      _ = try $0.files.request("reload")
      let socket = $0.files.scratch("run/control.sock")
      try await eventually("its thread has done it") {
        try Int(Files.status(of: socket).mode) == (isAdmitted ? 0o660 : 0o600)
      }
    }
    #expect(outcome.end == .exited(isAdmitted ? 0 : EACCES))
    try await daemon.finish()
  }

  @Test func `no more of the refused than a few at a time, and root all the same`() async throws {
    let scratch = try Scratch()
    let daemon = try await Audispatchd([], scratch: scratch)
    let program = try await Programs.ask()
    let refused = try (0..<20).map { _ in
      try Child(
        "/usr/bin/setpriv",
        [
          "--reuid", "65534", "--regid", "65534", "--clear-groups", "--inh-caps", "+dac_override",
          "--ambient-caps", "+dac_override", program, scratch("run/control.sock"),
        ])
    }
    try await eventually("twelve are let go") { refused.count { $0.ended != nil } >= 12 }
    #expect(try daemon.state().plugins.isEmpty)
    #expect(daemon.messages.split(separator: "refused uid").count == 2)
    for child in refused { #expect(try await child.end() == .exited(0)) }
    try await daemon.finish()
  }
}

import Foundation
import Glibc
import Linux
import Testing

/// What `make install` puts onto a host, and `make uninstall` takes away.
@Suite("What is installed", .inTurn)
struct InstalledFilesTests {
  private static let tree = {
    "/" + "\(#filePath)".split(separator: "/").dropLast(3).joined(separator: "/")
  }()
  private static func built(_ name: String) -> String { "\(tree)/.build/release/\(name)" }

  private func make(_ goal: String, _ scratch: Scratch) async throws {
    // The executables are there; what is tried is what becomes of them.
    let outcome = try await run(
      "/usr/bin/make",
      ["-s", "-C", Self.tree, "-o", "build", goal, "DESTDIR=\(scratch("root"))"],
      within: .seconds(120))
    try #require(outcome.end == .exited(0), "\(outcome.output)\(outcome.error)")
  }

  private func files(_ scratch: Scratch) -> [String] {
    let found = FileManager.default.enumerator(atPath: scratch("root"))?.allObjects as? [String]
    return (found ?? []).filter { path in
      var isFolder: ObjCBool = false
      _ = unsafe FileManager.default.fileExists(
        atPath: scratch("root") + "/" + path, isDirectory: &isFolder)
      return !isFolder.boolValue
    }
  }

  @Test(.enabled(if: Host.has(built("audispatchctl")), "needs root and make build"))
  func `goes again, but for settings`() async throws {
    let scratch = try Scratch()
    try await make("install", scratch)
    let installed = files(scratch)
    for path in [
      "usr/sbin/audispatchd", "usr/libexec/audispatch/audispatch-print",
      "usr/share/man/man7/audispatch.7", "usr/share/bash-completion/completions/audispatchctl",
      "usr/share/bash-completion/completions/audispatchd",
      "usr/share/bash-completion/completions/audispatch-integrity",
      "usr/share/zsh/vendor-completions/_audispatchctl",
      "usr/share/fish/vendor_completions.d/audispatchctl.fish",
      "usr/share/audispatch/library/Package.swift",
      "usr/share/audispatch/library/Sources/AudispatchPlugin/Running/PluginProgram.swift",
      "usr/share/doc/audispatch/examples/audit.rules",
      "usr/share/doc/audispatch/examples/receive.conf",
    ] { #expect(installed.contains(path), "\(path)") }
    // What packages of Debian call theirs may be moved beside ours.
    let plugins = installed.filter { $0.hasPrefix("etc/audispatch/plugins.d/") }
    #expect(plugins.count >= 8)
    for name in ["syslog", "af_unix", "au-remote", "audispd-zos-remote", "laurel"] {
      #expect(!plugins.contains("etc/audispatch/plugins.d/\(name).conf"), "\(name)")
    }
    try await make("uninstall", scratch)
    #expect(files(scratch).filter { !$0.hasPrefix("etc/audispatch/") } == [])
    #expect(files(scratch).count { $0.hasPrefix("etc/audispatch/plugins.d/") } == plugins.count)
  }

  @Test(.enabled(if: Host.has(built("audispatchctl")), "needs root and make build"))
  func `is stripped, and says what it is`() async throws {
    let scratch = try Scratch()
    try await make("install", scratch)
    for path in files(scratch)
    where path.hasPrefix("usr/sbin/") || path.hasPrefix("usr/libexec/") {
      let name = path.split(separator: "/").last ?? ""
      let program = scratch("root") + "/" + path
      let sections = try await run("/usr/bin/readelf", ["-SW", program])
      #expect(!sections.output.contains(" .symtab "), "\(path)")
      let version = try await run(program, ["--version"])
      #expect(version.output == "\(name) \(Release.version)\n")
      #expect(version.end == .exited(0))
      for option in ["--help", "-h"] {
        let help = try await run(program, [option])
        #expect(help.output.hasPrefix("Usage: \(name) "), "\(help.output)\(help.error)")
        #expect(help.output.contains("-h, --help") && help.output.contains("-V, --version"))
        #expect(help.end == .exited(0))
      }
    }
  }

  /// Plugins of other users find their own settings; members of control_group run the tool.
  @Test(.enabled(if: Host.has(built("audispatchctl")), "needs root and make build"))
  func `may be used by those for whom it is, and by nobody else`() async throws {
    let scratch = try Scratch()
    try await make("install", scratch)
    let modes = [
      "etc/audispatch": 0o755, "etc/audispatch/plugins.d": 0o755,
      "etc/audispatch/audispatchd.conf": 0o640, "etc/audispatch/plugins.d/print.conf": 0o640,
      "usr/sbin/audispatchctl": 0o755, "usr/sbin/audispatchd": 0o755,
      "usr/libexec/audispatch/audispatch-print": 0o755, "var/log/audispatch": 0o750,
      "var/lib/audispatch": 0o700,
    ]
    for (path, mode) in modes {
      let attributes = try FileManager.default.attributesOfItem(
        atPath: scratch("root") + "/" + path)
      #expect(attributes[.posixPermissions] as? Int == mode, "\(path)")
    }
  }

  /// What bash offers for a word, with the built program.
  private func offered(_ name: String, for word: String) async throws -> Set<String> {
    let script = """
      source '\(Self.tree)/Scripts/completions/\(name)'
      COMP_WORDS=("$1" "$2") COMP_CWORD=1
      compopt() { :; }
      "$(complete -p \(name) | sed 's/.*-F \\([^ ]*\\) .*/\\1/')" "$1"
      printf '%s\\n' "${COMPREPLY[@]}"
      """
    let outcome = try await run("/bin/bash", ["-c", script, "bash", Self.built(name), word])
    try #require(outcome.end == .exited(0), "\(outcome.error)")
    return Set(split(outcome.output))
  }

  @Test(
    .enabled(if: Host.has(built("audispatchctl")), "needs root and make build"),
    arguments: ["audispatchd", "audispatch-integrity"])
  func `is completed: every option that the help has`(_ name: String) async throws {
    let help = try await run(Self.built(name), ["--help"]).output
    let options = help.split(separator: "\n").filter { $0.hasPrefix("  -") }.compactMap {
      $0.firstMatch(of: #/--[a-z_-]+/#).map { String($0.0) }
    }
    #expect(options.count > 5)
    #expect(try await offered(name, for: "--") == Set(options))
    if name == "audispatch-integrity" {
      let commands = try await offered(name, for: "")
      #expect(commands.isSuperset(of: ["init", "accept", "export", "explain", "unload"]))
      #expect(commands.allSatisfy { help.contains($0) } && commands.count == 17, "\(commands)")
    }
  }

  /// Pages name the plugins by where they are: what the Makefile does not count as a daemon is not
  /// in PATH.
  @Test func `is named in the pages by where it is`() throws {
    let folder = Self.tree + "/Documentation/man"
    let makefile = try String(contentsOfFile: Self.tree + "/Makefile", encoding: .utf8)
    let line = try #require(makefile.split(separator: "\n").first { $0.hasPrefix("DAEMONS := ") })
    let inPath = Set(line.split(separator: " ").dropFirst(2).map { "\($0).8" })
    for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
      guard name.hasPrefix("audispatch-"), name.hasSuffix(".8"), !inPath.contains(name) else {
        continue
      }
      let page = try String(contentsOfFile: folder + "/" + name, encoding: .utf8)
      let program = name.dropLast(2).dropFirst("audispatch-".count)
      #expect(
        page.contains(".SH SYNOPSIS\n.B /usr/libexec/audispatch/audispatch\\-\(program)\n"),
        "\(name)")
    }
  }

  @Test(.enabled(if: Host.has("/usr/bin/groff"), "needs root and groff"))
  func `is described in pages without a mistake in their form`() async throws {
    let folder = Self.tree + "/Documentation/man"
    for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
      let outcome = try await run(
        "/usr/bin/groff", ["-man", "-Tutf8", "-ww", "-z", "\(folder)/\(name)"])
      #expect(outcome.error == "" && outcome.end == .exited(0), "\(name)")
    }
  }
}

/// The server's side that the pages give, with a server and our plugin.
@Suite("The examples for servers", .inTurn, .enabled(if: Rsyslogd.isHere, Rsyslogd.why))
struct ServerExampleTests {
  private static let folder =
    "/" + "\(#filePath)".split(separator: "/").dropLast(3).joined(separator: "/")
    + "/Documentation/examples"

  @Test(arguments: [("rsyslog-relp-tls", "relp+tls", "2514"), ("rsyslog-tls", "tls", "6514")])
  func `store what audispatch-syslog sends`(
    _ name: String, _ kind: String, _ usual: String
  ) async throws {
    let scratch = try Scratch()
    try await Certificates.make(in: scratch)
    let port = try freePort()
    let text = String(decoding: contents("\(Self.folder)/\(name).conf"), as: UTF8.self)
      .replacing("/etc/rsyslog.d/tls/", with: scratch.path + "/")
      .replacing("/var/log/audit-hosts/", with: scratch.path + "/hosts-")
      .replacing("*.example.org", with: "client").replacing(usual, with: "\(port)")
    try scratch.write("global(workDirectory=\"\(scratch.path)\")\n" + text, to: "rsyslog.conf")
    let checked = try await run(Rsyslogd.program, ["-N1", "-f", scratch("rsyslog.conf")])
    #expect(checked.end == .exited(0), "\(checked.error)")
    let server = try Child(
      Rsyslogd.program, ["-n", "-f", scratch("rsyslog.conf"), "-i", scratch("pid")],
      output: scratch("rsyslog.out"), error: scratch("rsyslog.out"))
    try await eventually("it listens", detail: { scratch.text("rsyslog.out") }) {
      Rsyslogd.listens(on: port, datagrams: false)
    }
    try scratch.write(
      """
      server = \(kind)://127.0.0.1:\(port)
      tls_ca = \(scratch("ca.pem"))
      tls_cert = \(scratch("client.pem"))
      tls_key = \(scratch("client.key"))
      host = web1

      """, to: "syslog.conf", mode: 0o600)
    let daemon = try await Audispatchd(
      [PluginFile("syslog", SyslogPluginTests.program, ["--config", scratch("syslog.conf")])],
      scratch: scratch)
    let record = "type=USER_LOGIN msg=audit(1700000000.000:1): pid=7 uid=0 res=success"
    try await daemon.send([record])
    try await eventually(
      "it is stored", within: .seconds(30),
      detail: { daemon.messages + scratch.text("rsyslog.out") }
    ) {
      scratch.lines("hosts-web1.log").contains { $0.hasSuffix(record) }
    }
    try await daemon.finish()
    server.signal(SIGTERM)
    _ = try await server.end()
  }
}

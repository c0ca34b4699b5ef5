import Configuration
import Linux
import Testing

@Suite("What a confinement says of a refusal")
struct ConfinementAdviceTests {
  private static func clause(_ message: String, _ change: (inout Confinement) -> Void) -> String? {
    var confinement = Confinement()
    change(&confinement)
    return ConfinementAdvice(confinement, program: "/usr/libexec/audispatch/audispatch-log")
      .clause(on: message)
  }

  @Test func `names both keywords for a path that is in neither`() {
    let clause = Self.clause("cannot open /srv/log/audit.log: Permission denied") {
      $0.readPaths = ["/etc", "/usr"]
      $0.writePaths = ["/var/log/audispatch"]
    }
    #expect(
      clause == "/srv/log/audit.log is below neither read_paths (/etc /usr) nor write_paths "
        + "(/var/log/audispatch)")
  }

  @Test func `names write_paths for a path that may be read`() {
    let clause = Self.clause("sh: 1: cannot create /etc/x: Permission denied") {
      $0.readPaths = ["/etc"]
    }
    #expect(clause == "/etc/x is not below write_paths (none), if it is to be written")
  }

  @Test func `names user and capabilities for a path that may be written`() {
    let clause = Self.clause("cannot open /var/log/a: Permission denied") {
      $0.writePaths = ["/var/log"]
      $0.user = 65534
      $0.capabilities = []
    }
    #expect(
      clause
        == "uid 65534 with capabilities = none may do at /var/log/a what owner, group and mode "
        + "allow: see user, group, supplementary_groups and capabilities")
  }

  @Test func `knows that /bin is /usr/bin`() {
    let clause = Self.clause("/bin/gzip: Permission denied") {
      $0.readPaths = ["/usr"]
      $0.writePaths = ["/var"]
    }
    #expect(clause?.contains("neither") == false)
  }

  @Test func `names capabilities for what is not permitted`() {
    let clause = Self.clause("chown: Operation not permitted") { $0.capabilities = .setUser }
    #expect(clause?.hasPrefix("root with capabilities = CAP_SETUID may do what") == true)
  }

  @Test(arguments: ["No space left on device", "/srv/x: No such file or directory", ""])
  func `says nothing of other messages`(_ message: String) {
    #expect(Self.clause(message) { $0.readPaths = [] } == nil)
  }

  @Test func `says nothing where nothing is confined`() {
    #expect(Self.clause("/srv/x: Permission denied") { _ in } == nil)
  }
}

/// Scripts that cannot be executed; the system's own words are no help.
@Suite("A plugin that cannot be started")
struct StartFailureTests {
  private static func reason(
    _ content: String, _ cause: Errno, confinement: Confinement = Confinement(),
    interpreterMode: UInt32? = 0o755
  ) -> String? {
    var files = FileAccess.system
    files.contents = { _, limit in
      .success(
        FileStatus(kind: .regular, owner: 0, mode: 0o755), Array(content.utf8.prefix(limit)))
    }
    files.status = { _ in
      interpreterMode.map { .success(FileStatus(kind: .regular, owner: 0, mode: $0)) }
        ?? .failure(.noSuchFile)
    }
    return StartFailure(files).reason(
      SpawnError(path: "/opt/p", stage: "exec", cause: cause), confinement)
  }

  @Test func `has no line that names its interpreter`() {
    #expect(
      Self.reason("echo hello\n", .notExecutable)
        == "it has no '#!' line at its beginning: add one such as '#!/bin/sh'")
  }

  @Test func `is for another machine`() {
    #expect(
      Self.reason("\u{7F}ELF\u{2}", .notExecutable) == "it is a program for another machine")
  }

  @Test func `has an interpreter that is not there`() {
    #expect(
      Self.reason("#! /opt/python x\n", .noSuchFile, interpreterMode: nil)
        == "its interpreter /opt/python is not there")
  }

  @Test func `has the line ends of another system`() {
    #expect(
      Self.reason("#!/bin/sh\r\n", .noSuchFile, interpreterMode: nil)
        == "its '#!' line ends with a carriage return: give it the line ends of Unix")
  }

  @Test func `has an interpreter outside read_paths`() {
    var confinement = Confinement()
    confinement.readPaths = ["/etc"]
    #expect(
      Self.reason("#!/usr/bin/python3\n", .notAllowed, confinement: confinement)
        == "its interpreter: /usr/bin/python3 is below neither read_paths (/etc) nor write_paths (none)"
    )
  }

  @Test func `is to have a capability that the daemon has not got`() {
    var confinement = Confinement()
    confinement.capabilities = Capabilities(named: "CHOWN")
    let error = SpawnError(path: "/opt/p", stage: "set its capabilities", cause: Errno(1))
    let without = StartFailure(permitted: [.setUser, .setGroup, .setBound])
    #expect(
      without.reason(error, confinement)
        == "capabilities needs CAP_CHOWN, which audispatchd itself has not got: as a service, add it "
        + "to its unit's CapabilityBoundingSet")
    let with = StartFailure(permitted: [.setBound, confinement.capabilities ?? []])
    #expect(with.reason(error, confinement) == nil)
  }

  @Test func `has an interpreter that is not executable`() {
    #expect(
      Self.reason("#!/opt/x\n", .notAllowed, interpreterMode: 0o644)
        == "its interpreter /opt/x is not executable")
  }
}

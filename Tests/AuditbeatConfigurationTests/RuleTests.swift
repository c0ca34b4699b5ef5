import AuditbeatConfiguration
import Configuration
import Testing

@Suite("The module auditd of auditbeat.yml")
struct RuleTests {
  @Test func `becomes a file of rules`() {
    let found = Imported(
      module: """
        backlog_limit: 8192
        rate_limit: 100
        failure_mode: log
        immutable: true
        audit_rule_files: ['${path.config}/audit.rules.d/*.conf', /etc/more.rules]
        audit_rules: |
          ## Executions.
          -a always,exit -F arch=b64 -S execve -k exec

            -w /etc/passwd -p wa
        """)
    #expect(found.rules.controls == ["-b 8192", "-r 100", "-f 1"])
    #expect(found.rules.isImmutable && found.says(":7:3: warning: -e 2"))
    #expect(found.rules.files.map(\.text) == ["/etc/ab/audit.rules.d/*.conf", "/etc/more.rules"])
    #expect(
      ImportedText.rules(found.rules, [("/x", ["-w /x -p r"])], from: "/etc/a.yml") == """
        # /etc/audit/rules.d/auditbeat.rules, made by 'audispatch-elastic import' of
        # /etc/a.yml.
        # Only one program has the audit socket: stop auditbeat ('systemctl disable --now auditbeat')
        # before auditd or audispatchd starts. 'augenrules --load' loads these rules.
        -b 8192
        -r 100
        -f 1
        ## Executions.
        -a always,exit -F arch=b64 -S execve -k exec
        -w /etc/passwd -p wa
        # /x
        -w /x -p r
        -e 2

        """)
  }

  @Test func `keeps no line that is none`() {
    let found = Imported(
      module: "audit_rules: \"-w /a -p r\\n-w ${HOME} -p r\\n-w /b\\e[m -p r\\n# \\e[m\\n\\n\"")
    #expect(
      found.rules.lines == [
        "-w /a -p r", "# not imported: -w ${HOME} -p r", #"# not imported: -w /b\x1B[m -p r"#,
        #"# not imported: # \x1B[m"#,
      ], "\(found.rules.lines)")
    #expect(found.says(":4:3: warning: 3 of its lines are no rules that can be taken"))
    #expect(ImportedRules.lines(String(repeating: "x", count: 5000)).refused == 1)
  }

  static let said: [(String, String)] = [
    ("resolve_id: true", ":4:3: warning: no such key of the module"),
    ("resolve_id: true", "did you"),
    ("failure_mode: panik", "did you mean 'panic'?"), ("backlog_limit: -1", "error: backlog_limit"),
    ("audit_rules: [a]", "audit_rules is a text, not a list"),
    ("audit_rule_files: [rules.d/*]", ":4:22: warning: no absolute path, and not read"),
    ("audit_rule_files: ['${HOME}/x']", "${...} is not looked up"),
    ("socket_type: multicast", ": note: auditd, or audispatch-kernel, has the socket"),
    ("ignore_errors: true", "-i in a rule file"),
    ("processors: [{drop_event: ~}]", "no processors"),
    ("enabled: false\naudit_rules: -w /a", ":4:3: warning: is off"),
    ("reassembler: {timeout: 2s}", "makes no difference here"),
    ("tags: [a]", "no tags are added here"),
  ]

  @Test(arguments: said.indices)
  func `is told what is otherwise`(_ index: Int) {
    let (text, expected) = Self.said[index]
    let found = Imported(module: text)
    #expect(found.says(expected), "\(text): \(found.said)")
    #expect(found.rules.lines.isEmpty && found.rules.files.isEmpty)
  }

  @Test func `is none without a name, or as none`() {
    #expect(
      Imported("auditbeat.modules: [{a: b}]\n").says(":1:21: error: a module without its name"))
    #expect(
      Imported("auditbeat.modules: [auditd]\n").says("a module is a table, not a single value"))
    #expect(Imported("auditbeat.modules: {a: {b: c}}\n").says("no module auditd"))
  }

  @Test func `has our settings for what it says of documents`() {
    #expect(Imported(module: "include_raw_message: yes").settings.contains("original = yes"))
    #expect(Imported(module: "resolve_ids: off").settings.contains("names = lines"))
    #expect(Imported(module: "resolve_ids: on").settings == ["server = http://a:9200"])
  }
}

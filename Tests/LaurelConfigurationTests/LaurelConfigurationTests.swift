import Configuration
import LaurelConfiguration
import ProcessContext
import Testing

@Suite("Laurel's own file")
struct LaurelConfigurationTests {
  private static func read(_ text: String) -> (LaurelConfiguration, [Diagnostic]) {
    let found = LaurelConfiguration.read(Array(text.utf8), file: "/etc/laurel/config.toml")
    return (found.configuration, found.diagnostics)
  }

  /// Every setting that Laurel 0.5.1 has.
  private static let whole = """
    directory = "/var/log/laurel"
    user = "_laurel"
    statusreport-period = 60
    [auditlog]
    file = "audit.log"
    size = 5_000_000
    generations = 10
    read-users = [ "splunk" ]
    line-prefix = "@cee: "
    [debug]
    dump-state-period = 120
    [debug.log]
    file = "debug.log"
    [transform]
    execve-argv = [ "array", "string" ]
    execve-argv-limit-bytes = 10000
    [translate]
    universal = true
    user-db = true
    [enrich]
    pid = true
    execve-env = [ "LD_PRELOAD", "PATH", ] # these
    container = true
    script = false
    parent-info = true
    [label-process]
    label-keys = [ "software_mgmt" ]
    label-exe.'^/opt/.*/bin/java$' = 'java'
    label-exe.'^/snap/amazon-ssm-agent/\\d+/' = 'amazon-ssm-agent'
    unlabel-exe."bin/php$" = "java"
    label-script."^/root/maint-.*[.]sh$" = "maint"
    propagate-labels = [ "software_mgmt", "amazon-ssm-agent" ]
    [filter]
    filter-keys = ["filter-this"]
    filter-labels = ["software_mgmt"]

    """

  @Test func `is taken over`() {
    let (configuration, diagnostics) = Self.read(Self.whole)
    #expect(!diagnostics.contains { $0.severity == .error })
    #expect(configuration.file == "/var/log/laurel/audit.log")
    #expect(configuration.maximumSize == 5_000_000)
    #expect(configuration.generations == 10)
    #expect(configuration.prefix == "@cee: ")
    #expect(configuration.hasArgumentList && configuration.hasArgumentText)
    #expect(configuration.argumentLimit == 10_000)
    #expect(configuration.translatesCalls && configuration.translatesUsers)
    #expect(configuration.hasParentInfo && !configuration.context.findsScripts)
    #expect(configuration.context.environment == ["LD_PRELOAD", "PATH"].map { Array($0.utf8) })
    let labels = ["software_mgmt", "java", "amazon-ssm-agent", "maint"].map { Array($0.utf8) }
    #expect(configuration.context.labels.names == labels)
  }

  @Test func `is told what is done in another way, or not at all`() {
    let diagnostics = Self.read(Self.whole).1.map(\.description)
    for expected in [
      "/etc/laurel/config.toml:2:1: note: the dispatcher sets the user",
      "/etc/laurel/config.toml:8:1: warning: no user gets an access list",
      ":10:2: warning: is not used here",
    ] { #expect(diagnostics.contains { $0.contains(expected) }, "\(diagnostics)") }
  }

  @Test func `has Laurel's defaults`() {
    let (configuration, diagnostics) = Self.read("directory = '/l'\n")
    #expect(diagnostics.isEmpty)
    #expect(configuration.file == "/l/audit.log")
    #expect(configuration.maximumSize == 10 << 20 && configuration.generations == 5)
    #expect(configuration.hasArgumentList && !configuration.hasArgumentText)
    #expect(configuration.namesProcesses && !configuration.hasParentInfo)
    #expect(configuration.context.environment.count == 2)
  }

  @Test(arguments: [
    ("exe-hash = true\nexe-hash-size-limit = 5", 5),
    ("exe-hash-size-limit = 5\nexe-hash = true", 5),
    ("exe-hash = true", 10_000_000), ("exe-hash-size-limit = 5", nil),
  ])
  func `has no order`(_ lines: String, _ limit: Int?) {
    let (configuration, diagnostics) = Self.read("directory = '/l'\n[enrich]\n\(lines)\n")
    #expect(diagnostics.isEmpty && configuration.context.hashLimit == limit)
  }

  @Test func `may write to standard output`() {
    let (configuration, diagnostics) = Self.read("[auditlog]\nfile = \"-\"\n")
    #expect(diagnostics.isEmpty && configuration.file == nil)
  }

  static let faults: [(String, String)] = [
    (
      "[enrich]\nparent_info = true\n",
      ":2:1: error: unknown key ('parent_info'); did you mean 'parent-info'?"
    ),
    ("[enrich]\nscipt = true\n", "did you mean 'script'?"),
    ("[auditlog]\nsize = \"5\"\n", ":2:8: error: size is a number from 4096"),
    ("[transform]\nexecve-argv = \"array\"\n", "execve-argv is a list, not a text"),
    ("[transform]\nexecve-argv = [\"arry\"]\n", "did you mean 'array'?"),
    ("[enrich]\npid = \"yes\"\n", "pid is true or false, not a text"),
    ("[label-process]\nlabel-exe.'(?=x)' = 'y'\n", "looking ahead or behind is not supported"),
    ("[label-process]\nlabel-exe = 'y'\n", "write label-exe.'REGEX' = 'LABEL'"),
    ("enrich = 1\n", "enrich is a table"), ("directory = 5\n", "directory is a text, not a number"),
    ("[auditlog]\nfile = \"a\"\n", "no folder for a"),
    ("directory = \"x\"\n", "the folder is an absolute path"),
    ("[filter]\nfilter-action = \"log\"\n", "only drop is done here"),
    ("a", "no '=' behind the key"), ("= 1", "a key has letters"), ("a = ", "no value"),
    ("a = \"x", "the quote is not closed"), ("a = \"x\ny\"", "the quote is not closed on its line"),
    ("a = [1, 2", "no ',' between two values"), ("a = [1 2]", "no ',' between two values"),
    ("[a", "the header is not closed"),
    ("a = 1\na = 2\n", "given before, on line 1"), ("[a]\n[a]\n", "given before, on line 1"),
    ("a = 1 b = 2\n", "only one setting stands on a line"), ("a = \"\\y\"\n", "has no meaning"),
    ("a = {b = 1\n", "no ',' between two settings"), ("a = nope\n", "a text stands in quotes"),
    ("a = \"\u{1}\"\n", "a control character"), ("\"\"\"a\"\"\" = 1", "a key has one line"),
    ("a = \"\\ud800\"", "not the number of a character"),
  ]

  @Test(arguments: faults)
  func `says what is wrong`(_ text: String, _ expected: String) {
    let diagnostics = Self.read(text).1
    #expect(
      diagnostics.contains { $0.severity == .error && $0.description.contains(expected) },
      "\(diagnostics)")
  }

  @Test(arguments: [
    "a = \"\\u00e4\\n\"\n", "a.b.c = 1\na.b.d = 2\n",
    "[a]\nb = 1\n[a.c]\n[[x]]\ny = 1\n[[x]]\n[x.z]\n",
    "a = '''x\n'y''\n'''\n", "a = \"\"\"\nx \\\n   y\"\"\"\n", "a = {b = 1, c = {d = [1, [2]]}}\n",
    "a = 0x1F\nb = 1_000\nc = -5\nd = 1.5e3\ne = 1979-05-27T07:32:00Z\n",
    "\u{feff}a = 1\r\nb = 2\r\n",
    "'a b'.\"c\" = 1 # x\n", "a = [\n 1, # one\n 2,\n]\n",
  ])
  func `is read as TOML has it`(_ text: String) {
    // Keys that Laurel does not have are what is wrong, and nothing else.
    let wrong = Self.read("directory = '/l'\n" + text.replacing("\u{feff}", with: "")).1
    #expect(!wrong.isEmpty && wrong.allSatisfy { $0.message == "unknown key" }, "\(wrong)")
  }

  @Test func `takes no harm from values within values`() {
    for text in [
      "a = " + String(repeating: "[", count: 100_000),
      "a = " + String(repeating: "{a=", count: 60_000),
      String(repeating: "a.", count: 100_000) + "b = 1",
      "[" + String(repeating: "a.", count: 100_000) + "b]",
    ] {
      #expect(Self.read(text).1.contains { $0.message.contains("nested too deeply") })
    }
    #expect(
      Self.read(String(repeating: " ", count: 300_000)).1.first?.message == "longer than 256 KiB")
  }

  @Test func `takes no harm from damage`() {
    let whole = Array(Self.whole.utf8)
    for place in stride(from: 0, to: whole.count, by: 7) {
      for byte: UInt8 in [0, 0x0a, 0x22, 0x5b, 0x2e, 0xff] {
        var bytes = whole
        bytes[place] = byte
        _ = LaurelConfiguration.read(bytes, file: "f")
      }
      _ = LaurelConfiguration.read(Array(whole.prefix(place)), file: "f")
    }
  }
}

import Testing

@Suite("output.elasticsearch of auditbeat.yml")
struct OutputTests {
  /// As a host of a company might have it.
  private static let whole = """
    # ======== Auditbeat ========
    auditbeat.modules:
    - module: auditd
      resolve_ids: true
      backlog_limit: 8192
      include_raw_message: true
      audit_rules: |
        ## Identity changes.
        -w /etc/passwd -p wa -k identity
        -a always,exit -F arch=b64 -S execve,execveat -k exec
    - module: file_integrity
      paths: [/bin, /etc]
    tags: ["web", 'eu']
    setup.template.settings:
      index.number_of_shards: 1
    setup.kibana: {host: "localhost:5601"}
    output.elasticsearch:
      hosts: ["es1.example.org:9243", "https://es2.example.org/prefix", "[2001:db8::1]"]
      protocol: https
      path: /search
      username: "auditbeat"
      password: "${ES_PASSWORD}"
      pipeline: audit
      ssl.certificate_authorities: ["/etc/pki/ca.pem"]
      ssl:
        certificate: "${path.config}/client.pem"
        key: /etc/pki/client.key
      proxy_url: http://proxy:3128
      compression_level: 3
      worker: 2
      bulk_max_size: 200
      backoff: {init: 500ms, max: 2m}
      timeout: 90
      headers:
        X-Tenant: audit team
    processors:
      - add_host_metadata: ~
    logging.level: info

    """

  @Test func `becomes settings`() {
    let found = Imported(Self.whole)
    #expect(
      found.settings == [
        "server = https://es1.example.org:9243/search",
        "server = https://es2.example.org:9200/prefix",
        "server = https://[2001:db8::1]:9200/search", "bulk_documents = 200", "workers = 6",
        "user = auditbeat", "password_file = /etc/audispatch/elastic.password",
        "pipeline = audit", "tls_ca = /etc/pki/ca.pem", "tls_cert = /etc/ab/client.pem",
        "tls_key = /etc/pki/client.key", "proxy = http://proxy:3128", "compression = 3",
        "retry_time = 0.5", "retry_time_max = 120", "answer_time = 90",
        "header = X-Tenant: audit team", "original = yes",
      ], "\(found.settings)")
    #expect(!found.said.contains { $0.contains(": error: ") }, "\(found.said)")
  }

  @Test func `is told, line by line, what has no equal`() {
    let found = Imported(Self.whole)
    for expected in [
      "a.yml:11:11: warning: is not imported ('file_integrity'); see audispatch-integrity(8)",
      "a.yml:13:1: warning: no tags are added here", "a.yml:14:1: note: 'audispatch-elastic setup'",
      "a.yml:22:13: warning: is a secret, and not copied ('password')",
      "a.yml:30:11: note: is for each host", "a.yml:36:1: warning: no processors here",
      "a.yml:38:1: note: is auditbeat's own matter ('logging')",
    ] { #expect(found.says(expected), "\(expected) in \(found.said)") }
    // Once for each section.
    #expect(found.said.count { $0.contains("('setup')") } == 1)
    #expect(!found.said.contains { $0.contains("ES_PASSWORD") })
  }

  @Test(arguments: [
    "output:\n  elasticsearch:\n    hosts: [h]\n    ssl: {certificate: /c}\n",
    "output.elasticsearch.hosts: [h]\noutput.elasticsearch.ssl.certificate: /c\n",
    "output.elasticsearch:\n  hosts: [h]\n  ssl.certificate: /c\n",
    "{\"output\": {\"elasticsearch.hosts\": \"h\", \"elasticsearch\": {\"ssl.certificate\": \"/c\"}}}",
    "x: &tls {certificate: /c}\noutput.elasticsearch: {hosts: [h], ssl: *tls}\n",
    "x: &o\n  hosts: [h]\noutput.elasticsearch:\n  <<: *o\n  ssl.certificate: /c\n",
    "\u{feff}---\r\noutput.elasticsearch:\r\n  hosts: !!str h\r\n  ssl.certificate: '/c'\r\n...\r\n",
  ])
  func `may be written with tables, dots, aliases and in JSON`(_ text: String) {
    #expect(
      Imported(text).settings == ["server = http://h:9200", "tls_cert = /c"], "\(Imported(text))")
  }

  static let translated: [(String, [String])] = [
    ("index: audit", ["index = audit"]),
    ("preset: latency\nworker: 9", ["bulk_documents = 50", "workers = 1"]),
    ("preset: throughput\ncompression_level: 9", ["bulk_documents = 1600", "workers = 4"]),
    ("preset: custom\nworkers: 40", ["workers = 16"]),
    ("api_key: a:b", ["api_key_file = /etc/audispatch/elastic.key"]),
    ("timeout: 1m30s", ["answer_time = 90"]), ("timeout: 1h0.25s", ["answer_time = 3600.25"]),
    (
      "non_indexable_policy.dead_letter_index.index: dead",
      ["refused_index = dead"]
    ),
    ("headers: {A: 'b \"c\"'}", ["header = A: b \"c\""]), ("enabled: true", []),
    ("pipeline: ~\npassword: ''\nnon_indexable_policy.drop: ~", []), ("loadbalance: false", []),
    ("ssl.verification_mode: full\nssl.certificate_authorities: /ca", ["tls_ca = /ca"]),
  ]

  @Test(arguments: translated.indices)
  func `says the same in our words`(_ index: Int) {
    let (text, expected) = Self.translated[index]
    let found = Imported(output: text)
    #expect(found.settings == expected, "\(text): \(found)")
    #expect(!found.says(": error: "), "\(found.said)")
  }

  static let unequal: [(String, String)] = [
    (
      "index: 'auditbeat-%{[agent.version]}-%{+yyyy.MM.dd}'",
      ":3:10: warning: an index for each day"
    ),
    ("index: ${INDEX}", ":3:10: warning: ${...} is not looked up"),
    ("index: ${SECRET:x}", "('index')"), ("hosts: ['${H}']", "('hosts')"),
    ("hosts: ['https://me:secret@h']", "who we are does not belong into a URL"),
    ("proxy_url: http://me:secret@h", "('proxy_url')"),
    ("headers: {Authorization: secret}", "is a secret, and not copied ('Authorization')"),
    ("headers: {A: \"b\\nc: secret\"}", "a header of other than visible ASCII ('A')"),
    ("parameters: {a: b}", ":3:16: warning: nothing is added to a URL"),
    ("bulk_max_size: -1", "a request has a bound here"),
    ("ssl.certificate_authorities: [/a, /b]", "tls_ca is one file"),
    (
      "ssl.key: |\n  -----BEGIN PRIVATE KEY-----\n  secret",
      "no absolute path, and not copied ('ssl.key')"
    ),
    ("ssl.verification_mode: none", "always checked here"),
    ("kerberos.enabled: true", "no Kerberos"),
    ("indices: [{index: a}]", "all events go to one place"),
    ("compresion_level: 1", "did you mean"),
    ("preset: fast", "no such preset"), ("enabled: false", "is off"),
    ("max_retries: 3", ": note: nothing is given up here"),
    ("queue.mem.events: 1", ": note: the disp"),
  ]

  @Test(arguments: unequal.indices)
  func `is named where it has no equal, and nothing secret with it`(_ index: Int) {
    let (text, expected) = Self.unequal[index]
    let found = Imported(output: text)
    #expect(found.says(expected), "\(text): \(found.said)")
    #expect(!found.says(": error: ") && !found.says("secret@") && !found.says("PRIVATE"))
    #expect(!found.settings.contains { $0.contains("secret") }, "\(found.settings)")
  }

  static let wrong: [(String, String)] = [
    ("hosts: {a: b}", "no such key"), ("timeout: soon", ":3:12: error: timeout is a time"),
    ("timeout: 5 s", "timeout is a time"), ("timeout: 99999999999h", "timeout is a time"),
    ("worker: two", "worker is a number"), ("worker: 0", "worker is 1 or more"),
    ("enabled: maybe", "enabled is true or false"),
    ("username: [a]", "is a single value, not a list"),
    ("hosts: [a]\nhosts: [b]", ":4:3: error: given before, on line 3 ('hosts')"),
    ("ssl.key: /a\nssl: {key: /b}", ":4:9: error: given before, on line 3 ('key')"),
  ]

  @Test(arguments: wrong.indices)
  func `is refused where it is wrong`(_ index: Int) {
    let (text, expected) = Self.wrong[index]
    #expect(Imported(output: text).says(expected), "\(text): \(Imported(output: text).said)")
  }

  @Test func `is missed`() {
    #expect(Imported("auditbeat.modules: []\n").says("a.yml: warning: no output.elasticsearch"))
    #expect(Imported("output.elasticsearch.hosts: a\n").says("a.yml: warning: no module auditd"))
    let other = Imported("output.logstash.hosts: [a]\noutpt.elasticsearch.hosts: [b]\n")
    #expect(other.says(":1:1: warning: is not imported: there is no output to Logstash"))
    #expect(other.says(":2:1: warning: nothing of that name is known ('outpt')"))
    let off = Imported(output: "hosts: [a]\nenabled: false")
    #expect(off.settings.isEmpty && off.says(":4:3: warning: is off"))
  }
}

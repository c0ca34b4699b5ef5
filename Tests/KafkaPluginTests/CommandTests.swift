import Linux
import PluginHarness
import TestSupport
import Testing

@Suite("Commands of audispatch-kafka", .onThreads)
struct CommandTests {
  @Test func `store a message and read it back`() throws {
    let cluster = try StandInCluster(partitions: 3)
    let run = try command(cluster, ["test"])
    #expect(run.end == .exit(0), "\(run.error)")
    let message = try #require(try cluster.messages().first)
    #expect(message.id.hasPrefix("audispatch-kafka-test:"))
    #expect(run.output == "stored in audit\nread back: \(message.id)\n")
    #expect(message.key == "host")
  }

  @Test func `say why a message is not stored, or not read back`() throws {
    let cluster = try StandInCluster()
    try cluster.refuse(.produce, [.noRight])
    let refused = try command(cluster, ["test"])
    #expect(refused.end == .exit(1))
    #expect(refused.error.contains("audit does not store it: "), "\(refused.error)")
    #expect(refused.error.contains("uthorization failed"), "\(refused.error)")
    let late = try StandInCluster()
    try late.refuse(.produce, Array(repeating: .tooFewReplicas, count: 1000))
    let given = try command(late, ["--answer-time", "1", "test"])
    #expect(given.end == .exit(1))
    #expect(
      given.error.contains(
        "audit does not store it: no broker says that it has stored what was sent"),
      "\(given.error)")
    let unsure = try StandInCluster()
    try unsure.refuse(.produce, Array(repeating: .timedOut, count: 1000))
    let unknown = try command(unsure, ["--answer-time", "1", "test"])
    #expect(unknown.end == .exit(1))
    #expect(
      unknown.error.contains("it is not known whether audit has stored it: "), "\(unknown.error)")
    let large = try StandInCluster()
    try large.refuse(.produce, [.tooLarge])
    #expect(try command(large, ["test"]).error.contains("audit does not take it: "))
    let unread = try StandInCluster()
    try unread.refuse(.listOffsets, Array(repeating: .noRight, count: 9))
    let run = try command(unread, ["test"])
    #expect(run.end == .exit(1))
    #expect(run.error.contains("cannot read the message back: "), "\(run.error)")
  }

  @Test func `say what a topic is, and how to make one`() throws {
    let cluster = try StandInCluster(partitions: 2)
    let there = try command(cluster, ["--partitions", "5", "setup"])
    #expect(there.end == .exit(0), "\(there.error)")
    #expect(
      there.output.hasPrefix(
        "the topic audit is there, with 2 partitions, and stays as it is\nit has 2 partitions"))
    // The stand-in makes none.
    try cluster.hide("audit")
    let absent = try command(cluster, ["--max-age", "60", "--answer-time", "1", "setup"])
    #expect(absent.end == .exit(1))
    #expect(absent.error.contains("the topic audit is not set up: "), "\(absent.error)")
    #expect(
      absent.error.contains(
        "kafka-topics.sh --bootstrap-server \(cluster.address) --create --topic audit "
          + "--partitions 3 --config retention.ms=60000"), "\(absent.error)")
    // The stand-in makes a topic that it is asked for the first time.
    let long = Array(repeating: String(repeating: "x", count: 50), count: 5).joined(separator: ".")
    let cut = try command(cluster, ["--topic", "{node}.\(long)", "setup"])
    #expect(
      cut.output.hasPrefix("the topic host.\(long.prefix(244)) is there"),
      "\(cut.output)\(cut.error)")
    try cluster.setAway(true)
    let away = try command(cluster, ["setup"])
    #expect(away.end == .exit(1) && away.error.contains("Connection refused"), "\(away.error)")
    let many = try command(cluster, ["--topic", "a.{node}.{action}", "setup"])
    #expect(many.end == .exit(1))
    #expect(many.error.contains("are made of what events have"), "\(many.error)")
  }

  @Test func `work over TLS with certificates on both sides, and with a password`() throws {
    let folder = try PluginRun.makeFolder()
    defer { PluginRun.remove(folder) }
    let keys = try CommandRun(
      "/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
      "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext",
      "subjectAltName=IP:127.0.0.1", "-keyout", "\(folder)/key", "-out", "\(folder)/certificate")
    try #require(keys.end == .exit(0), "\(keys.error)")
    for (name, text) in [("right", "s3cret\n"), ("wrong", "other\n")] {
      try TestFolder.write(text, to: "\(folder)/\(name)", mode: 0o400)
    }
    let cluster = try StandInCluster([
      "--certificate", "\(folder)/certificate", "--key", "\(folder)/key", "--client-authority",
      "\(folder)/certificate", "--user", "me", "--password", "s3cret",
    ])
    let trusted = ["--tls-ca", "\(folder)/certificate"]
    let ours = ["--tls-cert", "\(folder)/certificate", "--tls-key", "\(folder)/key"]
    func who(_ name: String) -> [String] {
      ["--user", "me", "--sasl", "plain", "--password-file", "\(folder)/\(name)"]
    }
    let good = try command(cluster, trusted + ours + who("right") + ["test"])
    #expect(good.end == .exit(0), "\(good.error)")
    #expect(try cluster.ids().count == 1)
    let brief = ["--answer-time", "2", "test"]
    let ways: [([String], String)] = [
      (trusted + ours + who("wrong"), "uthentication"), (ours + who("right"), "certificate"),
      (trusted + who("right"), "cannot store in audit: "),
      (who("right"), "cannot store in audit: "),
    ]
    for (arguments, reason) in ways {
      let refused = try command(cluster, arguments + brief)
      #expect(refused.end == .exit(1))
      #expect(refused.error.contains(reason), "\(arguments): \(refused.error)")
    }
    #expect(try cluster.ids().count == 1)
  }
}

import Configuration
import Linux
import PluginHarness
import TestSupport
import Testing

@testable import audispatch_kafka

@Suite("What audispatch-kafka is told")
struct OptionTests {
  private func settled(_ lines: String...) -> (options: KafkaOptions, said: [String]) {
    PluginHarness.settled(KafkaOptions.self, lines)
  }

  @Test func `is enough with a server`() {
    let (options, said) = settled("server = localhost")
    #expect(said == [])
    #expect(options.servers == [HostAndPort(host: "localhost", port: 9092)])
    let settings = KafkaSettings.producer(options).all
    #expect(settings["security.protocol"] == "plaintext")
    #expect(settings["bootstrap.servers"] == "localhost:9092")
    #expect(settings["enable.idempotence"] == "true")
    #expect(settings["retry.backoff.ms"] == "1000" && settings["retry.backoff.max.ms"] == "60000")
    let secure = settled("server = a", "server = [::1]:1", "tls = yes").options
    #expect(KafkaSettings.producer(secure).all["bootstrap.servers"] == "a:9092,[::1]:1")
    #expect(KafkaSettings.consumer(secure).all["security.protocol"] == "ssl")
    let files = settled("server = a", "tls_ca = /etc/passwd").options
    #expect(KafkaSettings.producer(files).all["security.protocol"] == "ssl")
    #expect(KafkaSettings.producer(files).all["ssl.ca.location"] == "/etc/passwd")
  }

  @Test func `says who we are, by a file alone`() throws {
    let folder = try PluginRun.makeFolder()
    defer { PluginRun.remove(folder) }
    try TestFolder.write("s3cret\nmore\n", to: "\(folder)/secret", mode: 0o400)
    let lines = ["server = a", "user = me", "password_file = \(folder)/secret"]
    let (options, said) = PluginHarness.settled(KafkaOptions.self, lines)
    #expect(said == [])
    var settings = KafkaSettings.producer(options).all
    #expect(settings["security.protocol"] == "sasl_plaintext")
    #expect(settings["sasl.mechanism"] == "SCRAM-SHA-512")
    #expect(settings["sasl.username"] == "me")
    #expect(settings["sasl.password"] == "s3cret")
    let plain = PluginHarness.settled(KafkaOptions.self, lines + ["sasl = plain"])
    #expect(
      plain.said.count == 1 && plain.said[0].contains("over the network as plain text"),
      "\(plain.said)")
    let both = PluginHarness.settled(KafkaOptions.self, lines + ["sasl = plain", "tls = yes"])
    #expect(both.said == [])
    settings = KafkaSettings.producer(both.options).all
    #expect(settings["security.protocol"] == "sasl_ssl")
    #expect(settings["sasl.mechanism"] == "PLAIN")
    #expect(!KafkaOptions.keywords.contains { $0.name == "password" })
  }

  static let refused: [(String, String)] = [
    ("server = a,b", "server is HOST or HOST:PORT, one each"),
    ("server = kafka://a:1", "server is HOST or HOST:PORT"),
    ("topic = a.*", "a topic has tokens"), ("replicas = 101", "replicas"),
    ("partitions = 0", "partitions"), ("max_age = x", "max_age"),
    ("user = me", "a user and a password belong together"),
    ("sasl = plain", "there is no password to prove"),
    ("sasl = gssapi", "sasl is one of scram-sha-512, scram-sha-256, plain"),
    ("compression = brotli", "compression is one of none, gzip, snappy, lz4, zstd"),
    ("tls = maybe", "tls is yes or no"),
    ("tls_key = /etc/passwd", "a certificate and its key belong together"),
    ("user = me\npassword_file = /nowhere/x", "cannot read /nowhere/x"),
    ("refused_file = /etc", "/etc is a directory, not a file"),
    ("refused_file = x", "refused_file is an absolute path"),
    ("tls_ca = /nowhere/ca", "cannot examine /nowhere/ca"),
    ("brokers = a", "unknown keyword"),
  ]

  @Test(arguments: refused) func `is refused where it means little, with its line`(
    _ lines: String, _ reason: String
  ) {
    let given = lines.split(separator: "\n").map(String.init)
    let (_, said) = PluginHarness.settled(KafkaOptions.self, ["server = a"] + given)
    #expect(
      said.contains { $0.hasPrefix("f:\(given.count + 1):") && $0.contains(reason) }, "\(said)")
  }

  @Test func `is what the example says, which has every keyword`() throws {
    let root = "\(#filePath)".split(separator: "/").dropLast(3).joined(separator: "/")
    let bytes = try Transfer.contents(
      of: "/\(root)/Documentation/examples/kafka.conf", limit: 1 << 20)
    let text = String(decoding: bytes, as: UTF8.self)
    #expect(settled(text).said == [])
    let page = String(
      decoding: try Transfer.contents(
        of: "/\(root)/Documentation/man/audispatch-kafka.8", limit: 1 << 20), as: UTF8.self)
    var defaults = KafkaOptions()
    defaults.servers = settled(text).options.servers
    defaults.places = settled(text).options.places
    #expect(settled(text).options == defaults)
    for keyword in KafkaOptions.keywords.map(\.name) {
      #expect(text.contains("\n#\(keyword) = ") || text.contains("\n\(keyword) = "), "\(keyword)")
      #expect(page.contains("\n.BR \(keyword) "), "\(keyword)")
    }
    // What stands for a default there is one, and what is an example is taken.
    let shown = text.split(separator: "\n").filter { $0.hasPrefix("#") && !$0.hasPrefix("# ") }
      .map { String($0.dropFirst()) }
      .filter { line in
        !["_file = /etc", "tls_", "user = ", "sasl = "].contains { line.contains($0) }
      }
    #expect(shown.count > 10)
    let (_, said) = PluginHarness.settled(KafkaOptions.self, ["server = a"] + shown)
    #expect(said == [])
  }
}

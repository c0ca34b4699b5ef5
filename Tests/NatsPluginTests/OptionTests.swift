import Configuration
import Linux
import PluginHarness
import Testing

@testable import audispatch_nats

@Suite("What audispatch-nats is told")
struct OptionTests {
  private func settled(_ lines: String...) -> (options: NatsOptions, said: [String]) {
    PluginHarness.settled(NatsOptions.self, lines)
  }

  @Test func `is enough with a server`() {
    let (options, said) = settled("server = nats://localhost:4222")
    #expect(said == [])
    #expect(options.stream == "AUDIT" && !options.isSecure)
    #expect(settled("server = tls://a").options.isSecure)
    #expect(settled("server = nats://a", "tls_ca = /etc/passwd").options.isSecure)
  }

  static let refused: [(String, String)] = [
    ("server = localhost:4222", "not a URL"), ("server = http://a", "a URL begins with nats://"),
    ("stream = a.b", "stream is a name"), ("subject = a.*", "a subject has tokens"),
    ("subject = audit.{action}", "have {node} in subject"), ("replicas = 9", "replicas"),
    ("window = 100\nmax_age = 50", "messages are kept at least as long as window"),
    ("user = me", "a user and a password belong together"),
    ("token_file = /a\ncredentials_file = /b", "token_file is given too"),
    ("tls_key = /etc/passwd", "a certificate and its key belong together"),
    ("token_file = /nowhere/x", "cannot read /nowhere/x"),
    ("refused_file = /etc", "is a directory, not a file"),
    ("refused_file = x", "refused_file is an absolute path"),
    ("tls_ca = /nowhere/ca", "cannot examine /nowhere/ca"),
  ]

  @Test(arguments: refused) func `is refused, or warned of, where it means little`(
    _ lines: String, _ reason: String
  ) {
    let (_, said) = PluginHarness.settled(
      NatsOptions.self, ["server = nats://a"] + lines.split(separator: "\n").map(String.init))
    #expect(said.contains { $0.contains(reason) }, "\(said)")
  }

  @Test func `is what the example says, which has every keyword`() throws {
    let root = "\(#filePath)".split(separator: "/").dropLast(3).joined(separator: "/")
    let bytes = try Transfer.contents(
      of: "/\(root)/Documentation/examples/nats.conf", limit: 1 << 20)
    let text = String(decoding: bytes, as: UTF8.self)
    #expect(settled(text).said == [])
    let page = String(
      decoding: try Transfer.contents(
        of: "/\(root)/Documentation/man/audispatch-nats.8", limit: 1 << 20), as: UTF8.self)
    var defaults = NatsOptions()
    defaults.servers = settled(text).options.servers
    #expect(settled(text).options == defaults)
    for keyword in NatsOptions.keywords.map(\.name) {
      #expect(text.contains("\n#\(keyword) = ") || text.contains("\n\(keyword) = "), "\(keyword)")
      #expect(page.contains("\n.BR \(keyword) "), "\(keyword)")
    }
    // What stands for a default there is one, and what is an example is taken.
    let shown = text.split(separator: "\n").filter { $0.hasPrefix("#") && !$0.hasPrefix("# ") }
      .map { String($0.dropFirst()) }
      .filter { line in !["_file = /etc", "tls_", "user = "].contains { line.contains($0) } }
    #expect(shown.count > 10)
    let (_, said) = PluginHarness.settled(NatsOptions.self, ["server = nats://a"] + shown)
    #expect(said == [])
  }
}

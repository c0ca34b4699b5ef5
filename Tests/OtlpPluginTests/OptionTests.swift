import Configuration
import HTTPClient
import Linux
import PluginHarness
import Testing

@testable import audispatch_otlp

/// What a file's lines make of the options, with the errors and warnings.
private func settled(_ lines: String...) -> (options: OtlpOptions, said: [String]) {
  settled(OtlpOptions.self, lines)
}

@Suite("What audispatch-otlp is told")
struct OptionTests {
  @Test func `is enough with a collector`() {
    let (options, said) = settled("server = https://collector.example.org:4318/otlp/")
    #expect(said == [])
    #expect(options.encoding == .protobuf && options.body == .document)
    #expect(
      options.request(.json, [], on: 0).url == "https://collector.example.org:4318/otlp/v1/logs")
    // Whoever writes the whole path means the same.
    let whole = settled("server = http://localhost:4318/v1/logs").options
    #expect(whole.request(.json, [], on: 0).url == "http://localhost:4318/v1/logs")
  }

  static let refused: [(String, String)] = [
    ("encoding = grpc", "encoding"), ("body = xml", "body"),
    ("server = collector:4318", "not a URL"), ("batch_events = 0", "batch_events"),
    ("batch_bytes = 1", "batch_bytes"), ("user = me", "a user and a password belong together"),
    ("tls_cert = /etc/passwd", "a certificate and its key belong together"),
    ("user = a\npassword_file = /b\ntoken_file = /c", "user is given too"),
    ("api_key_file = /a", "unknown keyword"),
  ]

  @Test(arguments: refused) func `is refused where it means nothing`(
    _ lines: String, _ reason: String
  ) {
    let (_, said) = settled("server = https://a", lines)
    #expect(said.contains { $0.contains(reason) }, "\(said)")
  }

  @Test func `names a collector`() {
    #expect(settled("").said[0].contains("no server is named"))
  }

  @Test func `is what the example says, which has every keyword`() throws {
    let root = "\(#filePath)".split(separator: "/").dropLast(3).joined(separator: "/")
    let bytes = try Transfer.contents(
      of: "/\(root)/Documentation/examples/otlp.conf", limit: 1 << 20)
    let text = String(decoding: bytes, as: UTF8.self)
    #expect(settled(text).said == [])
    let page = String(
      decoding: try Transfer.contents(
        of: "/\(root)/Documentation/man/audispatch-otlp.8", limit: 1 << 20), as: UTF8.self)
    var defaults = OtlpOptions()
    defaults.servers = settled(text).options.servers
    #expect(settled(text).options == defaults)
    for keyword in OtlpOptions.keywords.map(\.name) {
      #expect(text.contains("\n#\(keyword) = ") || text.contains("\n\(keyword) = "), "\(keyword)")
      #expect(page.contains("\n.BR \(keyword) "), "\(keyword)")
    }
    // Every value that it shows is one.
    var shown = text.split(separator: "\n").map(String.init).filter {
      $0.hasPrefix("#") && !$0.hasPrefix("# ")
    }
    shown = shown.map { String($0.dropFirst()) }.filter {
      !$0.contains("_file = ") && !$0.contains("tls_")
    }
    #expect(!shown.isEmpty)
    let (_, said) = settled(
      "server = https://a", shown.filter { !$0.hasPrefix("user = ") }.joined(separator: "\n"))
    #expect(said == [])
  }
}

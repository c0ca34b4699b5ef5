import BulkIndexing
import Configuration
import Glibc
import HTTPClient
import HTTPShipping
import Linux
import PluginHarness
import Shipping
import TestSupport
import Testing

@testable import AudispatchPlugin
@testable import audispatch_elastic

/// What a file's lines make of the options, with the errors and warnings.
private func settled(_ lines: String...) -> (options: ElasticOptions, said: [String]) {
  settled(ElasticOptions.self, lines)
}

@Suite("What audispatch-elastic is told")
struct OptionTests {
  @Test func `is enough with a server`() {
    let (options, said) = settled("server = https://search.example.org:9200/prefix//")
    #expect(said == [])
    #expect(options.servers.map(\.text) == ["https://search.example.org:9200/prefix"])
    #expect(options.target == .dataStream && options.name == "logs-audispatch-default")
    #expect(options.batch.documents == 1600 && options.patience.answerTime == .seconds(90))
  }

  @Test func `may be a pipeline with capital letters, which only indices may not have`() {
    let (options, said) = settled("server = https://a", "pipeline = Audit-Pipe")
    #expect(said == [] && options.pipeline == "Audit-Pipe")
  }

  static let refused: [(String, String)] = [
    ("server = search.example.org", "not a URL"),
    ("server = ftp://a", "a URL begins with https:// or http://"),
    ("server = https:///x", "names no host"),
    ("server = https://me:secret@host", "who we are does not belong into a URL"),
    ("server = https://a/?x=1", "no '?'"),
    ("data_stream = Logs-X", "no capital letters"),
    ("index = a,b", "is a name of letters"),
    ("index = -a", "is a name of letters"),
    ("index = a\ndata_stream = b", "data_stream is given too"),
    ("operation = index", "a data stream takes only new documents"),
    ("form = laurel", "documents of a data stream need @timestamp"),
    ("user = me", "a user and a password belong together"),
    ("user = a:b", "a user has no colon"),
    ("api_key_file = /a\ntoken_file = /b", "api_key_file is given too"),
    ("tls_cert = /etc/passwd", "a certificate and its key belong together"),
    ("tls_ca = /nowhere/ca.pem", "cannot examine /nowhere/ca.pem"),
    ("tls_ca = /etc", "is a directory, not a file"),
    ("index = a\nrefused_index = a", "what is refused goes to another place"),
    ("refused_index = A", "refused_index has no capital letters"),
    ("refused_file = /etc", "is a directory, not a file"),
    ("refused_file = x", "refused_file is an absolute path"),
    ("token_file = /nowhere/token", "cannot read /nowhere/token"),
    ("header = nothing", "a header is NAME: VALUE"),
    ("proxy = nothing", "not a URL"),
    ("workers = 0", "workers is a number from 1 to 16"),
    ("redact_option = pin", "redact_option is an option with its dashes"),
    ("redact_pattern = (", "no POSIX extended regular expression"),
    ("aggregate = -1", "aggregate is a number of seconds"),
    ("compression = 10", "compression is a number from 0 to 9"),
  ]

  @Test(arguments: refused.indices)
  func `is refused with the reason`(_ index: Int) {
    let (lines, reason) = Self.refused[index]
    let (_, said) = settled("server = https://a", lines)
    #expect(said.count == 1 && said[0].contains(": error: ") && said[0].contains(reason), "\(said)")
  }

  @Test func `misses a server`() {
    let (_, said) = settled("index = a")
    #expect(said.count == 1 && said[0].contains("no server is named"))
  }

  @Test func `keeps what only root may read out of sight`() throws {
    let folder = try PluginRun.makeFolder()
    defer { PluginRun.remove(folder) }
    func put(_ text: String, mode: UInt32) throws {
      unsafe unlink("\(folder)/secret")
      let file = try Descriptor.open("\(folder)/secret", O_WRONLY | O_CREAT, mode: mode)
      unsafe chmod("\(folder)/secret", mode)
      try Transfer.writeAll(file.number, Array(text.utf8))
    }
    let ways: [([String], String, String)] = [
      (
        ["user = me", "password_file = \(folder)/secret"], "pass wörd\nmore",
        "Basic bWU6cGFzcyB3w7ZyZA=="
      ),
      (["api_key_file = \(folder)/secret"], "id:key\n", "ApiKey aWQ6a2V5"),
      (["api_key_file = \(folder)/secret"], "aWQ6a2V5", "ApiKey aWQ6a2V5"),
      (["token_file = \(folder)/secret"], "tok\r\n", "Bearer tok"),
    ]
    for (lines, text, header) in ways {
      try put(text, mode: 0o400)
      let (options, said) = settled(
        "server = https://a", lines.joined(separator: "\n"))
      #expect(said == [])
      #expect(options.access.authorization == header)
      #expect(options.http.headers == ["Authorization: \(header)"])
    }
    try put("x", mode: 0o444)
    #expect(
      settled("server = https://a", "token_file = \(folder)/secret").said[0]
        .contains("others may have read"))
    for empty in ["", "\nx", "a\u{1}b"] {
      try put(empty, mode: 0o400)
      #expect(
        settled("server = https://a", "token_file = \(folder)/secret").said[0]
          .contains("is empty, or no text"))
    }
    try put("x", mode: 0o400)
    #expect(
      settled("server = http://a", "token_file = \(folder)/secret").said[0]
        .contains("warning: who we are goes over the network as plain text"))
  }

  @Test(arguments: [
    ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
    ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
  ])
  func `is encoded as RFC 4648 says`(_ text: String, _ expected: String) {
    #expect(Base64.encode(Array(text.utf8)) == expected)
  }

  @Test func `is what the example says, which has every keyword`() throws {
    let root = "\(#filePath)".split(separator: "/").dropLast(3).joined(separator: "/")
    let bytes = try Transfer.contents(
      of: "/\(root)/Documentation/examples/elastic.conf", limit: 1 << 20)
    let text = String(decoding: bytes, as: UTF8.self)
    #expect(settled(text).said == [])
    let page = String(
      decoding: try Transfer.contents(
        of: "/\(root)/Documentation/man/audispatch-elastic.8", limit: 1 << 20), as: UTF8.self)
    var defaults = ElasticOptions()
    defaults.servers = settled(text).options.servers
    #expect(settled(text).options == defaults)
    for keyword in ElasticOptions.keywords.map(\.name) {
      #expect(text.contains("\n#\(keyword) = ") || text.contains("\n\(keyword) = "), "\(keyword)")
      #expect(page.contains("\n.BR \(keyword) "), "\(keyword)")
    }
  }
}

import Configuration
import Linux
import PluginHarness
import TestSupport
import Testing

@testable import AudispatchPlugin
@testable import audispatch_socket

@Suite("audispatch-socket's configuration", .onThreads)
struct SocketOptionsTests {
  static func load(_ arguments: [String]) throws -> (SocketOptions, [String]) {
    let line = try CommandLineSettings(arguments, SocketOptions.keywords)
    let (options, diagnostics) = OptionSource<SocketOptions>(
      line, usually: "/nowhere/socket.conf", user: 0
    ).load()
    return (options, diagnostics.map(\.description))
  }

  /// What builtin_af_unix took, and audisp-af_unix takes, and the same as options.
  static let accepted: [([String], @Sendable (inout SocketOptions) -> Void)] = [
    ([], { _ in }),
    (["0640", "/p/s"], { ($0.mode, $0.path) = (0o640, "/p/s") }),
    (["/p/s", "0600"], { ($0.mode, $0.path) = (0o600, "/p/s") }),
    (["/p/s"], { $0.path = "/p/s" }),
    (["0660"], { $0.mode = 0o660 }),
    (["0660", "/p/s", "binary"], { ($0.mode, $0.path, $0.format) = (0o660, "/p/s", .binary) }),
    (
      ["0660", "/p/s", "string", "512"],
      { ($0.mode, $0.path, $0.format, $0.depth) = (0o660, "/p/s", .string, 512) }
    ),
    (["0660", "/p/s", "512"], { ($0.mode, $0.path, $0.depth) = (0o660, "/p/s", 512) }),
    (["/p/s", "STRING", "9"], { ($0.path, $0.depth) = ("/p/s", 9) }),
    (
      ["--path=/p/s", "--mode=0606", "--format=binary", "--binary-framing=fixed", "--depth=7"],
      {
        ($0.path, $0.mode, $0.format, $0.framing, $0.depth) =
          ("/p/s", 0o606, .binary, .fixed, 7)
      }
    ),
    (
      ["--bytes=64K", "--clients=3", "--gap-record=no"],
      {
        ($0.bytes, $0.clients, $0.gapRecord) = (64 << 10, 3, false)
      }
    ),
    (["--group", "0"], { $0.group = 0 }),
  ]

  @Test(arguments: accepted.indices)
  func `is what the arguments say`(_ index: Int) throws {
    let (arguments, change) = Self.accepted[index]
    var expected = SocketOptions()
    change(&expected)
    var (options, messages) = try Self.load(arguments)
    options.place = nil
    #expect(options == expected)
    #expect(messages == [])
  }

  static let refused: [([String], String)] = [
    (["0890", "/p/s"], "argument 1: error: mode is an octal number up to 0777 ('0890')"),
    (["1777", "/p/s"], "argument 1: error: mode is an octal number up to 0777 ('1777')"),
    (["0640", "foo"], "argument 2: error: neither a mode nor a path nor string or binary ('foo')"),
    (
      ["0640", "/p/s", "strnig"],
      "argument 3: error: neither a mode nor a path nor string or binary ('strnig'); "
        + "did you mean 'string'?"
    ),
    (["0640", "p/s"], "argument 2: error: path is an absolute path ('p/s'); did you mean '/p/s'?"),
    (["/a", "/b"], "argument 2: error: a second path ('/b')"),
    (
      ["0640", "/a", "string", "0"], "argument 4: error: depth is a number from 1 to 10000000 ('0')"
    ),
    (["0640", "/a", "5", "5"], "argument 4: error: a second depth ('5')"),
    (["/tmp"], "argument 1: error: /tmp is a directory, which is not removed ('/tmp')"),
    (
      ["/" + String(repeating: "p", count: 107)],
      "argument 1: error: longer than 107 bytes ('/" + String(repeating: "p", count: 79) + "…')"
    ),
  ]

  @Test(arguments: refused.indices)
  func `says what is wrong`(_ index: Int) throws {
    let (arguments, message) = Self.refused[index]
    #expect(try Self.load(arguments).1 == [message])
  }

  /// The example as it is, and with every comment that is a setting as one.
  @Test(arguments: [false, true])
  func `has an example that says nothing but the defaults`(_ isUncommented: Bool) throws {
    let root = #filePath.split(separator: "/").dropLast(3).reduce("") { "\($0)/\($1)" }
    let bytes = try Transfer.contents(
      of: "\(root)/Documentation/examples/socket.conf", limit: 1 << 20)
    var text = String(decoding: bytes, as: UTF8.self)
    if isUncommented {
      text = text.split(separator: "\n").map { line in
        line.hasPrefix("#") && !line.hasPrefix("# ") ? String(line.dropFirst()) : String(line)
      }.joined(separator: "\n")
    }
    let settings = ConfigurationText(Array(text.utf8), file: "socket.conf").settings
    #expect(settings.count == (isUncommented ? SocketOptions.keywords.count : 0))
    let (options, messages) = try Self.load(
      settings.map {
        "--\($0.keyword.text.replacing("_", with: "-"))=" + $0.values[0].text
      })
    var plain = options
    plain.place = nil
    var expected = SocketOptions()
    if isUncommented { expected.group = 0 }
    #expect(plain == expected)
    #expect(messages == [])
  }
}

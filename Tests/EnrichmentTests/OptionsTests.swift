import Configuration
import Enrichment
import Linux
import Testing

@testable import audispatch_kernel

@Suite("The arguments of audispatch-kernel")
struct OptionsTests {
  @Test func `ask for what they say`() throws {
    let options = try Options([
      "--raw", "--node=web1", "--name-format", "USER", "--name", "web2", "--queue-bytes", "1M",
      "--receive_buffer=65536", "--counters-fd", "7", "--capture",
    ])
    #expect(options.content == .raw && options.node == "web1" && options.nameFormat == .user)
    #expect(options.name == "web2" && options.queueBytes == 1 << 20)
    #expect(options.receiveBuffer == 65536 && options.countersDescriptor == 7 && options.capture)
    #expect(options.action == .run)
  }

  @Test func `leave everything at its default where there are none`() throws {
    let options = try Options([])
    #expect(options.content == .enriched && options.node == nil && options.nameFormat == .none)
    #expect(options.queueBytes == 64 << 20 && options.receiveBuffer == 32 << 20)
    #expect(!options.capture && options.countersDescriptor == nil)
  }

  static let refused: [([String], String)] = [
    (["--bogus"], "unknown option '--bogus'; see --help"),
    (["--nod"], "unknown option '--nod'; did you mean '--node'?"),
    (["--check"], "unknown option '--check'; see --help"),
    (["--node"], "--node needs a value"), (["x"], "unexpected argument 'x'; see --help"),
    (
      ["--node", "a b"],
      "a name has 1 to 255 bytes without spaces and control characters ('a b')"
    ),
    (
      ["--name-format", "x"],
      "name_format is one of none, hostname, fqd, numeric, user ('x')"
    ),
    (["--counters-fd", "1"], "counters_fd is a number from 3 to 65535 ('1')"),
  ]

  @Test(arguments: refused.indices)
  func `that cannot be followed are refused with a reason`(_ index: Int) {
    let (arguments, reason) = Self.refused[index]
    #expect {
      try Options(arguments)
    } throws: { "\($0)" == reason }
  }

  @Test func `are all in the help and in the manual page, with what counts without them`() throws {
    let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    let path = "/\(root)/Documentation/man/audispatch-kernel.8"
    let page = String(decoding: try Transfer.contents(of: path, limit: 1 << 20), as: UTF8.self)
      .replacing("\\-", with: "-")
    for keyword in Options.keywords {
      #expect(page.contains(keyword.option), "\(keyword.name)")
      #expect(Options.usage.contains("  \(keyword.option)"), "\(keyword.name)")
      guard let standard = keyword.standard(in: Options()) else { continue }
      #expect(page.contains(standard), "\(keyword.name): \(standard)")
    }
    #expect(Options.usage.split(separator: "\n").allSatisfy { $0.count <= 80 })
  }
}

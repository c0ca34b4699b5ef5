import Configuration
import Linux
import Testing

@testable import AuditDispatch

@Suite("What is in force, kept for a successor")
struct InForceTests {
  private static var example: InForce {
    var daemon = DaemonConfiguration()
    daemon.sources = [.standardInput, .unixSocket("/run/a b"), .file("/x"), .kernel]
    daemon.capabilityBound = [.setUser, .auditControl]
    daemon.controlGroup = 4
    daemon.latencyMax = .microseconds(1500)
    daemon.reloadWait = .milliseconds(2500)
    daemon.nameFormat = .fqd
    daemon.singleCommand = ["/bin/sh", "-c", "ü \u{0}"]
    var plugin = PluginConfiguration(name: "p", file: "/etc/p.conf")
    plugin.isActive = true
    plugin.arguments = ["", "a b"]
    plugin.overflowAction = .dropOldest
    plugin.spoolBytes = .max
    plugin.restartDelayMax = .seconds(100_000)
    plugin.confinement.user = .max
    plugin.confinement.supplementaryGroups = [1, 2]
    plugin.confinement.capabilities = []
    plugin.confinement.limits.core = -1
    plugin.confinement.writePaths = ["/var"]
    plugin.executable = ExecutableIdentity(device: .max, inode: 2, modified: .min)
    let other = PluginConfiguration(name: "q", file: "")
    return InForce(daemon: daemon, active: [plugin, other], inactive: [other], node: "n")
  }

  @Test func `is found as it was put there`() throws {
    let file = try Self.example.file()
    #expect(try InForce(file) == Self.example)
    let plain = InForce(daemon: DaemonConfiguration(), active: [], inactive: [], node: nil)
    #expect(try InForce(plain.file()) == plain)
  }

  @Test func `of another program is refused`() throws {
    let bytes = try TreeEncoder.tree(of: Self.example).bytes
    for count in 0..<bytes.count {
      #expect(throws: Tree.Malformed.self) { try Tree(Array(bytes[..<count])) }
    }
    #expect(throws: Tree.Malformed.self) { try Tree(bytes + [0x2d]) }
    guard case .record(let record) = try Tree(bytes) else { throw Tree.Malformed() }
    for name in ["daemon", "active", "inactive"] {
      var rest = record
      rest[name] = nil
      #expect(throws: DecodingError.self) {
        try TreeDecoder.value(InForce.self, of: .record(rest))
      }
      rest[name] = .text("")
      #expect(throws: DecodingError.self) {
        try TreeDecoder.value(InForce.self, of: .record(rest))
      }
    }
  }

  @Test func `with any byte changed is refused, or is something else`() throws {
    let example = Self.example
    let bytes = try TreeEncoder.tree(of: example).bytes
    for index in stride(from: 0, to: bytes.count, by: 7) {
      var changed = bytes
      changed[index] ^= 0x41
      let found = try? TreeDecoder.value(InForce.self, of: Tree(changed))
      #expect(found != example)
    }
  }

  @Test func `is no deeper than it may be`() {
    let deep = [UInt8](repeating: UInt8(ascii: "l"), count: 1)
    var bytes: [UInt8] = []
    for _ in 0..<1000 { bytes += deep + [1, 0, 0, 0, 0, 0, 0, 0] }
    #expect(throws: Tree.Malformed.self) { try Tree(bytes + [0x2d]) }
  }

  @Test(arguments: [
    Tree.nothing, .flag(true), .flag(false), .number(.max), .text("ü\u{0}"),
    .list([.nothing, .list([])]), .record(["a": .record([:]), "b": .text("")]),
  ])
  func `trees are read as they were written`(_ tree: Tree) throws {
    #expect(try Tree(tree.bytes) == tree)
  }

  private struct Numbers: Codable, Equatable {
    var a: Int8 = -128
    var b: Int64 = .min
    var c: UInt64 = .max
    var d: Int? = -1
    var e: UInt16?
  }

  @Test func `numbers are whole, and fit`() throws {
    let tree = try TreeEncoder.tree(of: Numbers())
    #expect(try TreeDecoder.value(Numbers.self, of: tree) == Numbers())
    guard case .record(var record) = tree else { throw Tree.Malformed() }
    record["a"] = .number(128)
    #expect(throws: DecodingError.self) {
      try TreeDecoder.value(Numbers.self, of: .record(record))
    }
    #expect(throws: EncodingError.self) { try TreeEncoder.tree(of: 1.5) }
  }
}

@Suite("The node's name")
struct NodeLookupTests {
  @Test func `is what the configuration says`() throws {
    var configuration = DaemonConfiguration()
    #expect(NodeLookup.start(by: configuration).name == nil)
    configuration.nameFormat = .user
    configuration.nodeName = "n"
    #expect(NodeLookup.start(by: configuration).name == "n")
    configuration.nameFormat = .hostname
    let host = try NodeName.resolve(.hostname, name: nil)
    let start = NodeLookup.start(by: configuration)
    #expect(start.name == host && start.problem == nil && start.lookup == nil)
  }

  @Test(arguments: [
    ([SourceConfiguration.standardInput], true, 20), ([.standardInput], false, 1000),
    ([], true, 20), ([], false, 1000), ([.unixSocket("/s")], false, 20),
    ([.unixSocket("/s"), .tcp(HostAndPort(host: "::1", port: 60))], false, 20),
    ([.kernel], true, 1000), ([.file("/f")], true, 1000),
    ([.tcp(HostAndPort(host: "::1", port: 60))], true, 1000),
  ])
  func `is not waited for where somebody writes to us`(
    _ sources: [SourceConfiguration], _ isFed: Bool, _ milliseconds: Int
  ) {
    var configuration = DaemonConfiguration()
    configuration.sources = sources
    #expect(
      NodeLookup.patience(configuration, isFed: isFed) == .milliseconds(milliseconds))
  }
}

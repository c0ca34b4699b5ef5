import Foundation
import Testing

/// audispatchd on a central host: peers connect to it, and a plugin writes down what it gets.
struct CentralHost {
  let scratch: Scratch
  let port: UInt16
  let daemon: Audispatchd

  /// Starts it. With `port` it is the successor of one that has ended.
  ///
  /// - Parameters:
  ///   - settings: of audispatchd.conf.
  ///   - source: in front of the address.
  ///   - sources: further ones, where other hosts are heard.
  ///   - hasLocal: whether it has a source on this host, too, which `send` writes to.
  ///   - plugin: a program with its arguments, instead of the one that writes down what it gets.
  ///   - further: plugins beside that.
  ///   - prefix: a program with its arguments that executes the daemon.
  ///   - spool: the spool's folder, which need not be there.
  init(
    _ scratch: Scratch, port given: UInt16? = nil, settings: [String] = [], sources: [String] = [],
    source: String = "tcp",
    keywords: String = "overflow_action = lossless", hasLocal: Bool = false,
    plugin: [String]? = nil, further: [PluginFile] = [], prefix: [String] = [],
    spool: String = "spool"
  ) async throws {
    self.scratch = scratch
    let port = try given ?? freePort()
    self.port = port
    let place = "\(source):127.0.0.1:\(port)"
    // A former daemon may have said it, too.
    func heard() -> Int {
      (scratch.text("daemon.out") + scratch.text("daemon.err")).components(
        separatedBy: "other hosts are heard at"
      ).count
    }
    let former = heard()
    var command = plugin ?? []
    if plugin == nil { command = [try await Programs.plugin(), "copy"] }
    daemon = try await Audispatchd(
      [
        PluginFile(
          "log", command[0], command.dropFirst() + [scratch("stored")], keywords,
          "restart_delay = 0.010")
      ] + further,
      settings: ["spool_dir = \(scratch(spool))", "spool_reserve = 0"] + settings,
      arguments: ((hasLocal ? [place] : []) + sources).flatMap { ["--source", $0] },
      source: hasLocal ? nil : place,
      scratch: scratch, prefix: prefix)
    let daemon = daemon
    try await eventually("it listens", detail: { daemon.messages }) {
      heard() > former
    }
    // What its starter makes comes later; where nobody finds the program, by a second try.
    try await eventually("its receiver runs", detail: { daemon.messages }) { !receivers.isEmpty }
  }

  var stored: [String] { scratch.lines("stored") }

  func peer() throws -> RawPeer { try RawPeer(port) }

  /// What the status says of the source that peers connect to.
  func source() throws -> RemoteReport.Source {
    try #require(
      RemoteReport(daemon).sources.last, "no remote source in the status")
  }

  func peers() throws -> [RemoteReport.Peer] { try RemoteReport(daemon).peers ?? [] }

  func expectStored(
    _ lines: [String], _ location: SourceLocation = #_sourceLocation
  ) async throws {
    try await eventually(
      "all is stored", within: .seconds(120),
      detail: { "\(stored.count) of \(lines.count): \(daemon.messages)" }
    ) { stored.count >= lines.count }
    #expect(difference(stored, lines) == nil, sourceLocation: location)
  }

  func stop() async throws {
    daemon.child.signal(SIGTERM)
    try await daemon.ended()
  }
}

/// What the status says of sources and peers.
struct RemoteReport: Decodable {
  struct Source: Decodable {
    let name, kind: String
    let records, events, bytes, malformed, duplicates, refused, peers: Int
    let turned_away: Int?
    /// Why nothing is taken now.
    let held: String?
  }

  struct Peer: Decodable {
    let address: String
    let identity: String?
    let connections, connected_since, records, acknowledged, behind, duplicates, refused: Int
    let last_error: String?
  }

  struct Senders: Decodable { let remembered, forgotten: Int }

  let sources: [Source]
  let peers: [Peer]?
  let senders: Senders?

  init(_ daemon: Audispatchd) throws {
    let answer = try daemon.files.request("status")
    let start = answer.firstIndex(of: UInt8(ascii: "{")) ?? answer.startIndex
    self = try JSONDecoder().decode(RemoteReport.self, from: answer[start...])
  }
}

import Foundation
import Linux
import Testing

/// The state that the dispatcher reports, by the names that are fixed for it.
struct StateReport: Decodable, Sendable {
  struct Daemon: Decodable, Sendable {
    let pid: Int32
    let version: String
    let uptime_seconds: Double
    let deaths: Int
  }

  struct Source: Decodable, Sendable {
    let kind: String
    let records, events, bytes, malformed, kernel_lost, receive_overruns: Int
    let reader_queue_lost, unread_events_max: Int
  }

  struct Plugin: Decodable, Sendable {
    let name, state: String
    let pid: Int32
    let received, delivered, redelivered, queued, queued_bytes, queued_max, restarts, bytes: Int
    let dropped: [String: Int]
    /// Of the queue, records that are on disk only; `nil` where nothing is put there.
    let stored: Int?
    let starting_seconds, left_behind: Int?

    /// The reasons for which anything was dropped.
    var drops: [String: Int] { dropped.filter { $0.value > 0 } }
    var droppedInAll: Int { dropped.values.reduce(0, +) }
  }

  struct Spool: Decodable, Sendable {
    struct Gone: Decodable, Sendable {
      let name: String
      let records, since: Int
    }

    let state, trouble: String
    let safe_records, given_up: Int
    let gone: [Gone]
  }

  let daemon: Daemon
  let source: Source
  let spool: Spool?
  let plugins: [Plugin]

  func plugin(_ name: String) throws -> Plugin {
    try #require(plugins.first { $0.name == name }, "no plugin \(name) in the state")
  }

  init(_ json: Data) throws { self = try JSONDecoder().decode(StateReport.self, from: json) }

  /// received = delivered + queued + Σ dropped, for each plugin, and nothing is lost unnamed.
  func expectConserved(sent: Int? = nil, _ location: SourceLocation = #_sourceLocation) {
    let reasons: Set = [
      "queue_full", "suspended", "stop_deadline", "removed", "spool_full", "spool_corrupt",
      "dispatcher_died",
    ]
    if let sent {
      #expect(source.records == sent, "source.records", sourceLocation: location)
    }
    for plugin in plugins {
      #expect(
        plugin.received == plugin.delivered + plugin.queued + plugin.droppedInAll,
        "\(plugin)", sourceLocation: location)
      #expect(
        reasons.isSuperset(of: plugin.dropped.keys), "\(plugin.dropped)", sourceLocation: location)
    }
  }
}

/// The folders of one dispatcher, and what can be asked of it through them.
struct DispatcherFiles: Sendable {
  let scratch: Scratch
  var pluginFolder: String { scratch("plugins.d") }
  var runtimeFolder: String { scratch("run") }
  var configuration: String { scratch("audispatchd.conf") }

  init(_ scratch: Scratch, _ plugins: [PluginFile], settings: [String] = []) throws {
    self.scratch = scratch
    try scratch.folder("plugins.d")
    for plugin in plugins { try write(plugin) }
    try configure(settings)
  }

  /// Puts the file there at once: a reload never sees half of it.
  func write(_ plugin: PluginFile) throws {
    try scratch.write(plugin.text, to: "plugins.d/.new")
    let to = scratch("plugins.d/" + plugin.file)
    guard unsafe rename(scratch("plugins.d/.new"), to) == 0 else {
      throw SystemError("rename to", to, .current)
    }
  }

  func remove(_ file: String) throws { try scratch.remove("plugins.d/" + file) }

  /// Writes the daemon's configuration. What it does not say of time and room is set so that a
  /// busy machine makes no difference.
  func configure(_ settings: [String]) throws {
    let patience = ["stop_timeout = 60", "q_depth = 100000"].filter { setting in
      let keyword = setting.prefix { $0 != " " } + " "
      return !settings.contains { $0.hasPrefix(keyword) }
    }
    try scratch.write((settings + patience).map { $0 + "\n" }.joined(), to: "audispatchd.conf")
  }

  /// Asks over the control socket.
  func state() throws -> StateReport {
    let answer = try request("status")
    let start = try #require(answer.firstIndex(of: UInt8(ascii: "{")), "\(answer)")
    return try StateReport(answer[start...])
  }

  /// The state, or nothing when there is no answer, or half of one.
  func stateIfAny() -> StateReport? {
    guard let answer = try? request("status"), let start = answer.firstIndex(of: UInt8(ascii: "{"))
    else { return nil }
    return try? StateReport(answer[start...])
  }

  /// What the dispatcher wrote into `state.json`.
  func writtenState() throws -> StateReport { try StateReport(scratch.bytes("run/state.json")) }

  /// Sends one line over the control socket and reads the answer to its end.
  func request(_ line: String) throws -> Data {
    // Who would answer may just be killed.
    Signals.ignoreFailedWrites()
    let socket = try UnixSocket.connect(scratch("run/control.sock"))
    var limit = timeval(tv_sec: 60, tv_usec: 0)
    unsafe setsockopt(
      socket.number, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    try Transfer.writeAll(socket.number, Array((line + "\n").utf8))
    var answer = Data()
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      let result = unsafe chunk.withUnsafeMutableBytes {
        unsafe Transfer.read(socket.number, into: $0)
      }
      guard case .bytes(let count) = result else { return answer }
      answer += chunk[..<count]
      if let start = answer.firstIndex(of: UInt8(ascii: "{")),
        (try? JSONSerialization.jsonObject(with: answer[start...])) != nil
      {
        return answer
      }
    }
  }
}

/// One file of `plugins.d`.
struct PluginFile: Sendable {
  var name: String
  var text: String
  var file: String { name.contains(".") ? name : name + ".conf" }

  init(_ name: String, text: String) {
    self.name = name
    self.text = text
  }

  init(
    _ name: String, _ path: String, _ arguments: [String] = [], format: String = "string",
    _ further: String...
  ) {
    self.name = name
    var lines = [
      "active = yes", "direction = out", "path = " + path, "type = always", "format = " + format,
    ]
    if !arguments.isEmpty { lines.append("args = " + arguments.joined(separator: " ")) }
    text = (lines + further).map { $0 + "\n" }.joined()
  }
}

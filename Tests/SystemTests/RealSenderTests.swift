import Foundation
import Linux
import Testing

/// Debian's audisp-remote sends to audispatchd, and what it has left behind is taken over.
@Suite(
  "Debian's audisp-remote and a central host", .inTurn,
  .enabled(if: Host.has(RealSender.program, "/usr/bin/unshare"), "needs root and audisp-remote"))
struct RealSenderTests {
  @Test func `has 10,000 records stored over one connection, and ends well (C1, C3)`() async throws
  {
    let host = try await CentralHost(Scratch())
    let sender = try RealSender(host.port)
    // The longest that it does not cut, and the longest that auditd does not.
    let long = [8953, 8960, 8968].map { length in
      let head = "type=USER msg=audit(1700000000.001:1): n="
      return head + String(repeating: "x", count: length - head.utf8.count)
    }
    let events = TestEvent.stream(2..<5002, records: 2, eoe: true)
    try sender.send(long)
    // It drops what its queue has no room for.
    for start in stride(from: 0, to: events.count, by: 500) {
      try await eventually("most is stored", detail: { host.daemon.messages }) {
        host.stored.count >= 2 * start - 500
      }
      try sender.send(events[start..<start + 500].flatMap(\.lines))
    }
    try await host.expectStored(long + events.records.filter { !$0.contains("type=EOE ") })
    let messages = host.daemon.messages
    #expect(messages.components(separatedBy: "is connected").count == 2, "\(messages)")
    #expect(try host.source().duplicates == 0)
    sender.finish()
    #expect(try await sender.child.end() == .exited(0))
    try await host.stop()
  }

  @Test func `comes again by itself when the host was restarted (C7)`() async throws {
    let scratch = try Scratch()
    let host = try await CentralHost(scratch)
    let sender = try RealSender(host.port)
    try sender.send((1...50).map { ReceiveTests.line($0) })
    try await host.expectStored((1...50).map { ReceiveTests.line($0) })
    try await host.stop()
    let next = try await CentralHost(scratch, port: host.port)
    try sender.send((51...100).map { ReceiveTests.line($0) })
    try await next.expectStored((1...100).map { ReceiveTests.line($0) })
    sender.finish()
    #expect(try await sender.child.end() == .exited(0))
    try await next.stop()
  }

  /// What it has in its queue goes round the end of the file.
  @Test func `leaves a queue of which audispatch-remote loses nothing`() async throws {
    let scratch = try Scratch()
    let queue = try scratch.folder("queue") + "/remote.log"
    let host = try await CentralHost(try Scratch())
    let sender = try RealSender(
      host.port,
      "mode = forward\nqueue_depth = 100\nqueue_file = \(queue)\n"
        + "network_failure_action = syslog\nmax_tries_per_record = 1\nmax_time_per_record = 1\n")
    let lines = (1...140).map { ReceiveTests.line($0, node: "web1") }
    try sender.send(Array(lines[..<80]))
    try await host.expectStored(Array(lines[..<80]))
    try await eventually("it knows") { RealSender.queued(queue) == [80, 0] }
    try await host.stop()
    try sender.send(
      lines[80...].flatMap { [$0, "type=EOE msg=audit(1700000000.000:1): "] })
    try await eventually("it has queued the rest", detail: { "\(RealSender.queued(queue))" }) {
      RealSender.queued(queue) == [80, 60]
    }

    let settings = ["take_over_queue = yes", "queue_file = \(queue)"]
    let early = try await RemoteTests.daemon(
      scratch, RemoteTests.plugin(scratch, host.port, settings))
    try await eventually("it is left alone", detail: { early.messages }) {
      early.messages.contains("\(queue) is in use: audisp-remote still runs")
    }
    try await early.finish()
    sender.child.signal(SIGKILL)
    _ = try await sender.child.end()
    #expect(RealSender.queued(queue) == [80, 60])

    let next = try await CentralHost(try Scratch(), port: host.port)
    let new = (1...20).map { ReceiveTests.line(1000 + $0) }
    for round in 0..<2 {
      let before = RealSender.queued(queue)[1]
      let daemon = try await RemoteTests.daemon(
        scratch, RemoteTests.plugin(scratch, host.port, settings))
      try await daemon.send(Array(new[round * 10..<round * 10 + 10]))
      try await next.expectStored(Array(lines[80...]) + new[..<(round * 10 + 10)])
      try await eventually("all is confirmed", detail: { daemon.messages }) {
        try daemon.plugin("remote").queued == 0
      }
      try await daemon.finish()
      let after = RealSender.queued(queue)[1]
      #expect(before == (round == 0 ? 60 : 0) && after == 0)
    }
    #expect(try next.source().records == 80)
    try await next.stop()
  }
}

/// A running audisp-remote, with the test in its auditd's place.
final class RealSender {
  static let program = "/sbin/audisp-remote"

  let child: Child
  private var input: Int32?
  private let scratch: Scratch

  /// - Parameter settings: further lines of its configuration; without any all counts that it has
  ///   built in.
  init(_ port: UInt16, _ settings: String = "") throws {
    scratch = try Scratch()
    try scratch.write("remote_server = 127.0.0.1\nport = \(port)\n" + settings, to: "remote.conf")
    let (near, far) = try UnixSocket.pair().release()
    input = near
    defer { close(far) }
    child = try Child(
      "/usr/bin/unshare",
      [
        "-m", "--propagation", "private", "/bin/sh", Programs.source("with-remote.sh"),
        scratch("remote.conf"), Self.program,
      ], input: far, output: scratch("out"), error: scratch("out"))
  }

  deinit { finish() }

  /// Waits until it has read so much that the socket takes the rest.
  func send(_ lines: [String]) throws {
    let bytes = Array(lines.map { $0 + "\n" }.joined().utf8)
    guard let input, RawPeer.write(bytes, to: input) else { throw Errno.current }
  }

  func finish() {
    if let input { close(input) }
    input = nil
  }

  /// Of a queue file the first entry that is used, and how many are.
  static func queued(_ path: String) -> [Int] {
    let bytes = contents(path)
    guard bytes.count > 32 else { return [0, 0] }
    return [24, 28].map { bytes[$0..<$0 + 4].reduce(0) { $0 << 8 | Int($1) } }
  }
}

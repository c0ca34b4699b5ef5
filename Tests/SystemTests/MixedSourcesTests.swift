import Foundation
import TestSupport
import Testing

/// A central host whose own source never rests, and the dispatching process dies.
@Suite(
  "Records of this host and of others together", .inTurn, .enabled(if: Host.isRoot, "needs root"))
struct MixedSourcesTests {
  /// Each write to the spool takes so much longer: `fstatfs` comes before one, and from nowhere else.
  private static func slowDisk(milliseconds: Int) -> [String] {
    [
      "/usr/bin/strace", "-D", "-f", "-qq", "--seccomp-bpf", "-o", "/dev/null", "-e",
      "trace=fstatfs", "-e", "inject=fstatfs:delay_enter=\(milliseconds * 1000)",
    ]
  }

  private static func remote(_ number: Int) -> String {
    "node=web1 type=USER msg=audit(1700000001.000:\(number)): r=\(number)"
  }

  private static func local(_ number: Int) -> String {
    "type=USER msg=audit(1700000000.000:\(number)): n=\(number)"
  }

  @Test(arguments: ["lossless", "spill"])
  func `are all stored, once, though the worker is killed among them`(action: String) async throws {
    var random = Seeded(of: "mixed sources")
    let host = try await CentralHost(
      Scratch(), keywords: "overflow_action = \(action)", hasLocal: true,
      prefix: Self.slowDisk(milliseconds: 20))
    let daemon = host.daemon
    let feed = Task {
      var number = 0
      while !Task.isCancelled, number < 100_000 {
        let next = number + 10
        try await daemon.send((number..<next).map(Self.local))
        number = next
        try? await Task.sleep(for: .microseconds(300))
      }
      return number
    }
    let total = 1200
    var next = 1
    var kills = 0
    while next <= total {
      next = await session(host, from: next, through: total) { acknowledged in
        guard kills < 5, acknowledged > random.number(below: 200), let worker = daemon.worker else {
          return false
        }
        kills += 1
        return kill(worker, SIGKILL) == 0
      }
    }
    feed.cancel()
    let locals = try await feed.value
    let wanted = Set((0..<locals).map(Self.local) + (1...total).map(Self.remote))
    try await eventually(
      "all are there", within: .seconds(120),
      detail: { "\(host.stored.count) of \(wanted.count) \(daemon.messages)" }
    ) { wanted.isSubset(of: host.stored) }
    #expect(kills == 5)
    let others = host.stored.filter { $0.hasPrefix("node=web1") }
    #expect(host.stored.filter { $0.hasPrefix("type=USER") } == (0..<locals).map(Self.local))
    #expect(Set(others) == Set((1...total).map(Self.remote)))
    // What `spill` gave before the log had it is sent again, and given again.
    if action == "lossless" { #expect(others == (1...total).map(Self.remote)) }
    daemon.finishInput()
    _ = try await daemon.child.end()
  }

  /// A plugin that reads three records when told to, says so and stays; the next one copies all.
  private static let hesitant = """
    #!/bin/sh
    [ -e "$1.first" ] && exec cat >> "$1"
    : > "$1.first"
    until [ -e "$1.gate" ]; do sleep 0.01; done
    for i in 1 2 3; do IFS= read -r line && printf '%s\\n' "$line" >> "$1"; done
    [ -e "$1.confirms" ] && printf 'ok 3\\n' >&0
    : > "$1.read"
    exec sleep 1000

    """

  /// Other hosts' records were read before the log had them, and this host's behind them were not; the
  /// log has these where the others would have been.
  @Test(
    arguments: [(false, 1), (false, 2), (true, 1), (true, 2)] as [(confirms: Bool, deaths: Int)])
  func `are told apart where a log that a plugin was ahead of lacks some`(
    confirms: Bool, deaths: Int
  ) async throws {
    let scratch = try Scratch()
    let plugin = try scratch.write(Self.hesitant, to: "hesitant", mode: 0o755)
    if confirms { try scratch.write("", to: "stored.confirms") }
    let host = try await CentralHost(
      scratch, keywords: "overflow_action = spill\nconfirm = \(confirms ? "yes" : "no")",
      hasLocal: true, plugin: [plugin], prefix: Self.slowDisk(milliseconds: 2000))
    let daemon = host.daemon
    let (others, own) = ((1...3).map(Self.remote), (1...3).map(Self.local))
    func received(_ count: Int) async throws {
      try await eventually("\(count) are queued", detail: { daemon.messages }) {
        (try? daemon.plugin("log").received) == count
      }
    }
    let peer = try host.peer()
    try peer.say(
      others.indices.flatMap { RawPeer.message(0, UInt32($0 + 1), others[$0] + "\n") })
    try await received(3)
    try await daemon.send(own)
    try await received(6)
    let reader = try daemon.plugin("log").pid
    var worker = try #require(daemon.worker)
    // What is read from here on the dead process cannot have seen.
    kill(worker, SIGSTOP)
    try scratch.write("", to: "stored.gate")
    try await eventually("the others' are read") { scratch.exists("stored.read") }
    kill(worker, SIGKILL)
    for _ in 1..<deaths {
      try await eventually("a successor has the log", detail: { daemon.messages }) {
        guard let next = daemon.worker, next != worker,
          (try? daemon.state().spool?.state) == "open"
        else { return false }
        worker = next
        return true
      }
      kill(worker, SIGKILL)
    }
    kill(reader, SIGKILL)
    try await eventually("all are there", detail: { "\(host.stored) \(daemon.messages)" }) {
      host.stored.count >= 6
    }
    #expect(host.stored == others + own)
    #expect(try daemon.plugin("log").drops == [:])
    daemon.finishInput()
    _ = try await daemon.child.end()
  }

  /// One connection that sends all from a number on, until it ends or was told of the last.
  ///
  /// - Parameter interrupt: asked at each acknowledgement, with how many there were; ends with `true`.
  /// - Returns: the number of the first that was not acknowledged.
  private func session(
    _ host: CentralHost, from first: Int, through last: Int, _ interrupt: (Int) -> Bool
  ) async -> Int {
    var next = first
    guard let peer = try? host.peer(),
      (try? peer.say(RawPeer.message(1, 1, "audispatch 1 \(first) web1/remote"))) != nil,
      (try? peer.reply()) != nil
    else {
      try? await Task.sleep(for: .milliseconds(20))
      return next
    }
    var sent = first
    while next <= last {
      while sent <= last, sent < next + 128 {
        guard (try? peer.record(Self.remote(sent), UInt32(sent))) != nil else { return next }
        sent += 1
      }
      guard let reply = try? peer.reply(), reply.type == ReceiveTests.acknowledgement else {
        return next
      }
      next = Int(reply.sequence) + 1
      if interrupt(next - first) { break }
    }
    while next <= last, let reply = try? peer.reply(),
      reply.type == ReceiveTests.acknowledgement
    { next = Int(reply.sequence) + 1 }
    return next
  }
}

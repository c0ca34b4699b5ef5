import Glibc
import Testing

@testable import Linux

@Suite("A request to start a program")
struct StartRequestTests {
  private static let plain = StartRequest(
    path: "/bin/sh", arguments: ["-c", "", "ä"], environment: ["A=1"], confinement: Confinement())
  private static let confined: StartRequest = {
    var confinement = Confinement()
    confinement.user = 65534
    confinement.supplementaryGroups = [1, 2, 3]
    confinement.readPaths = ["/etc"]
    confinement.writePaths = ["/tmp", "/var/tmp"]
    return StartRequest(
      path: "/bin/cat", arguments: [], environment: [], confinement: confinement, landlock: 3)
  }()

  @Test(arguments: [plain, confined])
  func `is whole as it was made, and neither shorter nor longer`(_ request: StartRequest) {
    let bytes = request.bytes(number: 7)
    #expect(StartRequest.isWhole(bytes))
    #expect(!StartRequest.isWhole(bytes + [0]))
    for count in 0..<bytes.count {
      #expect(!StartRequest.isWhole(Array(bytes[..<count])), "\(count) of \(bytes.count) bytes")
    }
  }

  @Test func `with counts of what is not there is refused, wherever a byte is another`() {
    let bytes = Self.confined.bytes(number: 7)
    var refused = 0
    for index in bytes.indices {
      for value: UInt8 in [0, 1, 0x7f, 0xff] where bytes[index] != value {
        var other = bytes
        other[index] = value
        if !StartRequest.isWhole(other) { refused += 1 }
      }
    }
    // Each NUL that becomes another byte, and each count.
    #expect(refused > 100)
  }
}

/// A program on its way: what it prints, and how it came to be.
private final class Begun {
  private let request: StartRequest
  private var attempt: StartAttempt?
  private let process: ChildProcess
  private let output: Descriptor

  /// Asks for it, and takes the answer.
  init(
    _ starter: borrowing Starter, _ request: StartRequest, number: UInt64 = 1, extra: Int32 = -1
  ) throws {
    self.request = request
    var attempt = try StartAttempt()
    let null = try Descriptor.open("/dev/null", O_RDWR)
    let pipe = try Pipe()
    output = pipe.reading
    do {
      let end = pipe.writing
      let asked = starter.ask(
        request, number: number, input: null.number, output: end.number, error: end.number,
        extra: extra, attempt: attempt.childNumber)
      #expect(asked == .taken)
    }
    attempt.wasHandedOver()
    #expect(Poll.readable([starter.number], within: .seconds(60))[0])
    guard case .child(number, let process) = starter.receive() else {
      throw SystemError("start", request.path, .noSuchFile)
    }
    self.process = process
    self.attempt = consume attempt
  }

  func isQuiet(for duration: Duration) -> Bool {
    !Poll.readable([attempt?.number ?? -1], within: duration)[0]
  }

  func go() { attempt?.go() }
  func letGo() { attempt = nil }

  func outcome() throws -> StartAttempt.Outcome {
    #expect(Poll.readable([attempt?.number ?? -1], within: .seconds(60))[0])
    let outcome = attempt?.outcome(of: request)
    return try #require(outcome ?? nil)
  }

  /// What it printed to its end.
  func text() -> String {
    var text: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 4096)
    while case .bytes(let count) = unsafe chunk.withUnsafeMutableBytes({
      unsafe Transfer.read(output.number, into: $0)
    }) { text += chunk[..<count] }
    return String(decoding: text, as: UTF8.self)
  }

  func end() throws -> ChildEnd {
    #expect(Poll.readable([process.pidfd], within: .seconds(60))[0])
    let end = process.reap()
    return try #require(end)
  }
}

@Suite("A process that starts programs")
struct StarterTests {
  private static func request(
    _ path: String, _ arguments: [String] = [], _ environment: [String] = [],
    _ change: (inout Confinement) -> Void = { _ in }
  ) -> StartRequest {
    var confinement = Confinement()
    confinement.isOrdinary = true
    change(&confinement)
    return StartRequest(
      path: path, arguments: arguments, environment: environment, confinement: confinement)
  }

  private static func with(_ body: (borrowing Starter) throws -> Void) throws {
    let starter = try Starter.copy()
    do { try body(starter) } catch {
      _ = starter.end()
      throw error
    }
    _ = starter.end()
  }

  @Test func `makes children of its parent's, with what they were to get and nothing else`() throws
  {
    let line = "echo $PPID \"$1\" $A; ls /proc/self/fd | tr '\\n' ' '"
    try Self.with { starter in
      let begun = try Begun(
        starter, Self.request("/bin/sh", ["-c", line, "sh", "two words"], ["A=1"]))
      begun.go()
      guard case .runs = try begun.outcome() else { throw SystemError("start", "sh", .noSuchFile) }
      // ls itself opens the folder that it lists.
      #expect(begun.text() == "\(getpid()) two words 1\n0 1 2 3 ")
      #expect(try begun.end() == .exit(0))
    }
  }

  @Test func `gives a descriptor 3 to one that is to have it`() throws {
    let (reading, writing) = try Pipe().release()
    defer { close(reading) }
    try Transfer.writeAll(writing, Array("three".utf8))
    close(writing)
    try Self.with { starter in
      let line = "cat <&3; ls /proc/self/fd | tr '\\n' ' '"
      let begun = try Begun(
        starter, Self.request("/bin/sh", ["-c", line]), extra: reading)
      begun.go()
      #expect(begun.text() == "three0 1 2 3 4 ")
      #expect(try begun.end() == .exit(0))
    }
  }

  @Test func `starts them with every signal at its default and none blocked`() throws {
    try Self.with { starter in
      let begun = try Begun(starter, Self.request("/bin/cat", ["/proc/self/status"]))
      begun.go()
      let masks = begun.text().split(separator: "\n").filter {
        $0.hasPrefix("SigIgn") || $0.hasPrefix("SigBlk") || $0.hasPrefix("SigCgt")
      }.compactMap { $0.split(separator: "\t").last }
      #expect(masks == Array(repeating: "0000000000000000", count: 3))
      #expect(try begun.end() == .exit(0))
    }
  }

  @Test func `has each wait for a word, and end without it`() throws {
    try Self.with { starter in
      let begun = try Begun(starter, Self.request("/bin/sh", ["-c", "echo ran"]))
      #expect(begun.isQuiet(for: .milliseconds(50)))
      begun.letGo()
      #expect(begun.text() == "")
      #expect(try begun.end() == .exit(0))
    }
  }

  @Test func `waits for none: others come while one is on its way`() throws {
    try Self.with { starter in
      let first = try Begun(starter, Self.request("/bin/echo", ["first"]), number: 1)
      for number in 2..<40 {
        let next = try Begun(
          starter, Self.request("/bin/echo", ["\(number)"]), number: UInt64(number))
        next.go()
        #expect(next.text() == "\(number)\n")
        #expect(try next.end() == .exit(0))
      }
      first.go()
      #expect(first.text() == "first\n")
      #expect(try first.end() == .exit(0))
    }
  }

  private static func failure(_ request: StartRequest) throws -> StartAttempt.Failure? {
    var found: StartAttempt.Failure?
    try with { starter in
      let begun = try Begun(starter, request)
      begun.go()
      if case .failed(let failure) = try begun.outcome() { found = failure }
      #expect(try begun.end() == .exit(127))
    }
    return found
  }

  @Test(arguments: [
    ("/nowhere/at/all", "exec: No such file or directory", nil),
    ("/etc/passwd", "exec: Permission denied", "root:"),
  ])
  func `says at which step and why one could not become its program, and how its file begins`(
    _ path: String, _ text: String, _ head: String?
  ) throws {
    let failure = try #require(try Self.failure(Self.request(path)))
    #expect("\(failure.error)" == "cannot start \(path): \(text)")
    #expect(failure.head.map { String(decoding: $0.prefix(5), as: UTF8.self) } == head)
  }

  @Test(.enabled(if: Landlock.version > 0, "needs landlock"))
  func `says which path could not be opened`() throws {
    let request = Self.request("/bin/cat") { $0.writePaths = ["/tmp", "/etc/passwd/below"] }
    let failure = try #require(try Self.failure(request))
    #expect(
      "\(failure.error)" == "cannot start /bin/cat: allow /etc/passwd/below: Not a directory")
    #expect(failure.head == nil)
  }

  @Test func `with a request that is longer than it takes says so`() throws {
    try Self.with { starter in
      let attempt = try StartAttempt()
      let long = Self.request("/bin/true", [String(repeating: "x", count: 128 << 10)])
      let asked = starter.ask(
        long, number: 1, input: 0, output: 1, error: 2, attempt: attempt.childNumber)
      #expect(asked == .failed(Errno(E2BIG)))
    }
  }

  /// Asks without taking the answer; what it is asked with lives as long as this.
  private final class Asked {
    private var attempt: StartAttempt?
    private let null: Descriptor

    init(_ starter: borrowing Starter, number: UInt64) throws {
      null = try Descriptor.open("/dev/null", O_RDWR)
      var attempt = try StartAttempt()
      let asked = starter.ask(
        StarterTests.request("/bin/true"), number: number, input: null.number, output: null.number,
        error: null.number, attempt: attempt.childNumber)
      #expect(asked == .taken)
      attempt.wasHandedOver()
      self.attempt = consume attempt
    }
  }

  @Test func `that was killed with requests unread has its answers taken first`() throws {
    let starter = try Starter.copy()
    let answered = try Asked(starter, number: 1)
    #expect(Poll.readable([starter.number], within: .seconds(60))[0])
    kill(starter.pid, SIGSTOP)
    let unread = try Asked(starter, number: 2)
    kill(starter.pid, SIGKILL)
    try waitForEnd(of: starter.pid)
    guard case .child(1, let child) = starter.receive() else {
      Issue.record("the answer is lost")
      return
    }
    child.endNow()
    guard case .ended = starter.receive() else {
      Issue.record("it answers")
      return
    }
    #expect(starter.end() == .signal(SIGKILL))
    withExtendedLifetime((answered, unread)) {}
  }

  private func waitForEnd(of pid: Int32) throws {
    guard let process = Descriptor.process(pid) else { throw Errno.current }
    #expect(Poll.readable([process.number], within: .seconds(60))[0])
  }

  @Test func `that was killed says so by its end`() throws {
    let starter = try Starter.copy()
    kill(starter.pid, SIGKILL)
    #expect(Poll.readable([starter.number], within: .seconds(60))[0])
    guard case .ended = starter.receive() else {
      Issue.record("it answers")
      return
    }
    #expect(starter.end() == .signal(SIGKILL))
  }
}

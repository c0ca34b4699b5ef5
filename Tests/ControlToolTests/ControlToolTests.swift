import Linux
import Testing

@Suite("audispatchctl")
struct ControlToolTests {
  static func golden(_ name: String) -> String {
    let folder = #filePath.split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" }
    do {
      let bytes = try Transfer.contents(of: "\(folder)/Golden/\(name)", limit: 1 << 20)
      return String(decoding: bytes, as: UTF8.self)
    } catch {
      Issue.record("\(error)")
      return ""
    }
  }

  static func ok(_ body: String) -> [UInt8] { Array("ok\n\(body)".utf8) }

  @Test(arguments: ["busy", "idle", "newer", "hostile", "durable", "troubled"])
  func `shows a status as a table`(_ name: String) throws {
    let run = try FakeDaemon.run(["status"], answer: Self.ok(Self.golden("\(name).json")))
    #expect(run.output == Self.golden("\(name).txt"))
    #expect(run.request == "status\n")
    #expect(run.errors == "")
    #expect(run.status == 0)
  }

  @Test func `names twenty of the inactive, and counts the others`() throws {
    let names = (1...30).map { "p\($0)" }
    let plugins = names.map {
      #"{"name": "\#($0)", "state": "inactive", "pid": 0, "received": 0, "delivered": 0, "#
        + #""redelivered": 0, "queued": 0, "queued_bytes": 0, "dropped": {}, "restarts": 0}"#
    }
    let answer = Self.golden("idle.json").replacing(
      "\"plugins\": []",
      with: "\"plugins\": [" + plugins.joined(separator: ",") + "], \"inactive\": 10000")
    let run = try FakeDaemon.run(["status"], answer: Self.ok(answer))
    let named = names.prefix(20).joined(separator: ", ")
    #expect(run.output.hasSuffix("\ninactive: \(named) and 9980 more\n"), "\(run.output)")
  }

  @Test func `does not care how the answer is cut`() throws {
    let answer = Self.ok(Self.golden("idle.json"))
    let run = try FakeDaemon.run(["status"], answer: answer, pieces: 1)
    #expect(run.output == Self.golden("idle.txt"))
  }

  @Test func `shows the status without a command`() throws {
    let run = try FakeDaemon.run([], answer: Self.ok(Self.golden("idle.json")))
    #expect(run.output == Self.golden("idle.txt"))
  }

  @Test func `takes the runtime folder in front of the command`() throws {
    let answer = Self.ok(Self.golden("idle.json"))
    let run = try FakeDaemon.run(["status", "--json"], answer: answer, folderFirst: true)
    #expect(run.output == Self.golden("idle.json"))
    #expect(run.status == 0)
  }

  @Test func `prints the JSON document as it came`() throws {
    let document = Self.golden("newer.json")
    let run = try FakeDaemon.run(["status", "--json"], answer: Self.ok(document))
    #expect(run.output == document)
    #expect(run.status == 0)
  }

  @Test func `names what is missing in a status`() throws {
    let document = Self.golden("idle.json").replacing("\"kernel_lost\": 0,", with: "")
    let run = try FakeDaemon.run(["status"], answer: Self.ok(document))
    #expect(
      run.errors == """
        audispatchctl: audispatchd's status is not understood: source.kernel_lost is missing
        audispatchctl: Is the daemon newer? status --json shows what it says.

        """)
    #expect(run.output == "")
    #expect(run.status == 1)
  }

  @Test func `prints what a reload found`() throws {
    let run = try FakeDaemon.run(
      ["reload"], answer: Self.ok("a.conf:3:1: unknown keyword \u{1b}[2J\n"))
    #expect(run.request == "reload\n")
    #expect(run.output == "a.conf:3:1: unknown keyword \\x1b[2J\n")
    #expect(run.status == 0)
  }

  @Test(arguments: [Int32(0), 6])
  func `ends as a reload did`(_ status: Int32) throws {
    let run = try FakeDaemon.run(
      ["reload"], answer: Self.ok("configuration read again: 1 active plugin\nstatus \(status)\n"))
    #expect(run.output == "configuration read again: 1 active plugin\n")
    #expect(run.status == status)
  }

  @Test func `resumes a plugin by name`() throws {
    let run = try FakeDaemon.run(["resume", "my plugin"], answer: Self.ok(""))
    #expect(run == ControlRun(request: "resume my plugin\n", output: "", errors: "", status: 0))
  }

  @Test(arguments: ["", "a\nreload"])
  func `sends no name that would be another request`(_ name: String) throws {
    let run = try FakeDaemon.run(["resume", name], answer: nil)
    #expect(run.errors.contains("no control characters"))
    #expect(run.status == 64)
  }

  @Test(arguments: [(0, "status 0"), (6, "a.conf:1:1: bad\nstatus 6")] as [(Int32, String)])
  func `ends a check with its status`(_ status: Int32, _ body: String) throws {
    let run = try FakeDaemon.run(["check"], answer: Self.ok(body + "\n"))
    #expect(run.request == "check\n")
    #expect(run.output == (status == 0 ? "" : "a.conf:1:1: bad\n"))
    #expect(run.status == status)
  }

  @Test func `does not take a broken check for a good one`() throws {
    let run = try FakeDaemon.run(["check"], answer: Self.ok("a.conf:1:1: bad\n"))
    #expect(run.errors == "audispatchctl: audispatchd broke off in its answer\n")
    #expect(run.status == 1)
  }

  static let tail = """
    type=USER msg=audit(1000.001:7): pid=1 uid=0 auid=4294967295 msg='text=hello exe="/x" res=success'
    type=SYSCALL msg=audit(1000.002:8): arch=c000003e syscall=83 success=yes exit=0 pid=2 uid=0
    type=PATH msg=audit(1000.002:8): item=1 name="/d" nametype=CREATE
    type=DAEMON_ERR msg=audit(1000.004:9): op=queue-drop plugin=tail dropped=3 events=1 reason=queue_full res=failed
    type=EOE msg=audit(1000.002:8):

    """

  @Test(arguments: [Int.max, 7])
  func `prints events as they pass`(_ pieces: Int) throws {
    let run = try FakeDaemon.run(["tail", "--utc"], answer: Self.ok(Self.tail), pieces: pieces)
    #expect(run.request == "tail\n")
    #expect(
      run.output == """
        1970-01-01T00:16:40.001Z #7 root sent the message hello [exe=/x pid=1]
        1970-01-01T00:16:40.004Z #9 audispatch dropped 3 records of 1 events for tail: queue_full
        1970-01-01T00:16:40.002Z #8 root created directory /d [pid=2]

        """)
    #expect(run.errors == "audispatchctl: audispatchd ended\n")
    #expect(run.status == 1)
  }

  @Test func `prints the records themselves`() throws {
    let run = try FakeDaemon.run(["tail", "--raw"], answer: Self.ok(Self.tail), pieces: 11)
    #expect(run.output == Self.tail)
  }

  @Test(arguments: ["status", "reload", "tail"])
  func `says that no daemon runs`(_ command: String) throws {
    let run = try FakeDaemon.run([command], answer: nil)
    #expect(
      run.errors == """
        audispatchctl: audispatchd is not running (nobody answers at DIR/control.sock)
        audispatchctl: Start it, or name its runtime folder with --runtime-dir.

        """)
    #expect(run.output == "")
    #expect(run.status == 1)
  }

  @Test func `says how to check without a daemon`() throws {
    let run = try FakeDaemon.run(["check"], answer: nil)
    #expect(run.errors.contains("audispatchd --check checks the configuration without it."))
    #expect(run.status == 1)
  }

  static let refusals: [(String, String)] = [
    ("error no plugin of that name\n", "audispatchd refused: no plugin of that name"),
    ("error \u{1b}[2J\n", "audispatchd refused: \\x1b[2J"),
    ("", "audispatchd hung up without an answer"),
    ("ok", "audispatchd hung up without an answer"),
    ("HTTP/1.1 400\r\n", "audispatchd's answer is not understood: \"HTTP/1.1 400\\r\""),
  ]

  @Test(arguments: refusals)
  func `says what the daemon said`(_ answer: String, _ expected: String) throws {
    let run = try FakeDaemon.run(["resume", "x"], answer: Array(answer.utf8))
    #expect(run.errors == "audispatchctl: \(expected)\n")
    #expect(run.status == 1)
  }

  @Test func `refuses a folder whose path is too long`() throws {
    let folder = "/tmp/" + String(repeating: "x", count: 120)
    let run = try FakeDaemon.run(["status", "--runtime-dir", folder], answer: nil)
    #expect(run.errors.contains("is too long for a socket's path"))
    #expect(run.status == 1)
  }

  @Test func `explains itself`() throws {
    let run = try FakeDaemon.run(["--help"], answer: nil)
    #expect(run.output == Self.golden("help.txt"))
    #expect(run.status == 0)
  }

  @Test(arguments: [["--version"], ["-V"]])
  func `says which version it is`(_ arguments: [String]) throws {
    let run = try FakeDaemon.run(arguments, answer: nil)
    #expect(run.output == "audispatchctl \(Release.version)\n")
    #expect(run.status == 0)
  }

  @Test(arguments: [
    ("stats", "Unknown command 'stats'; did you mean 'status'?"),
    ("relaod", "Unknown command 'relaod'; did you mean 'reload'?"),
    ("frobnicate", "Unknown command 'frobnicate'; see audispatchctl --help"),
  ])
  func `knows what an unknown command should have been`(_ word: String, _ said: String) throws {
    let run = try FakeDaemon.run([word], answer: nil)
    #expect(run.errors.contains(said))
    #expect(run.status == 64)
  }
}

import Configuration
import Linux
import PluginHarness
import Shipping
import TestSupport
import Testing

@testable import audispatch_nats

@Suite("A subject")
struct SubjectTests {
  private func template(_ text: String) -> SubjectTemplate? {
    let (options, said) = settled(NatsOptions.self, ["server = nats://a", "subject = \(text)"])
    return said.contains { $0.contains("error") } ? nil : options.subject
  }

  @Test func `is made of what the event has, one token each`() throws {
    let values = SubjectTemplate.Values(
      node: Array("web.example.org".utf8), action: Array("opened-file".utf8),
      type: Array("SYSCALL".utf8), key: Array("a b>*".utf8))
    let all = try #require(template("x.{node}.{type}.{action}.{key}.y"))
    #expect(all.subject(values) == "x.web_example_org.SYSCALL.opened-file.a_b__.y")
    #expect(all.wildcard(node: values.node) == "x.web_example_org.*.*.*.y")
    #expect(all.wildcard(node: nil) == "x.*.*.*.*.y")
    #expect(all.subject(.init()) == "x._._._._.y")
    let long = SubjectTemplate.Values(node: Array(repeating: 0xff, count: 300))
    #expect(SubjectTemplate.standard.subject(long).utf8.count == "audit..".utf8.count + 65)
    #expect(template("audit.{node}.{action}") == .standard)
  }

  @Test(arguments: [".", "a..b", "a.*", "a.>", "{nodes}.a", "a b", "a.{node}x", "$JS.x"])
  func `is refused where it is none`(_ text: String) { #expect(template(text) == nil) }
}

@Suite("What may be stored already")
struct LookUpTests {
  private func plan(last: Int?, window: Int) -> LookUp {
    LookUp(
      last: last.map { 1_000_000_000_000 + Int64($0) * 1_000_000_000 }, now: 1_000_000_000_000,
      window: .seconds(window), answerTime: .seconds(10))
  }

  @Test func `is looked for when the stream may have forgotten it`() {
    #expect(plan(last: nil, window: 7200) == .needless)
    // The server's clock may be before ours.
    for second in [0, -1, -3599, 300] {
      #expect(plan(last: second, window: 7200) == .needless, "\(second)")
    }
    #expect(plan(last: -3600, window: 7200) == .since(1_000_000_000_000 - 3_680_000_000_000))
    #expect(plan(last: -1, window: 2) == .since(1_000_000_000_000 - 81_000_000_000))
  }
}

@Suite("Setting up a stream")
struct StreamPlanTests {
  private static let bounds: [String: Set<String>] = [
    "none": [], "all": ["max_age", "max_size", "replicas"],
  ]

  @Test func `never makes a window, an age or a size smaller`() {
    let windows = [1, 100, 7200].map { Duration.seconds($0) }
    let ages: [Duration?] = [nil, .seconds(7200), .seconds(9000)]
    let sizes: [Int?] = [nil, 100, 200]
    var seen: Set<String> = []
    for (foundWindow, window) in windows.flatMap({ a in windows.map { (a, $0) } }) {
      for (foundAge, age) in ages.flatMap({ a in ages.map { (a, $0) } }) {
        for (foundSize, size) in sizes.flatMap({ a in sizes.map { (a, $0) } }) {
          for given in Self.bounds.values {
            let found = StreamState(window: foundWindow, maxAge: foundAge, maxBytes: foundSize)
            let wanted = StreamState(window: window, maxAge: age, maxBytes: size)
            let shrinks =
              given.isEmpty
              ? false
              : age != nil && (foundAge == nil || age! < foundAge!)
                || size != nil && (foundSize == nil || size! < foundSize!)
            switch StreamPlan(found: found, wanted: wanted, given: given) {
            case .refuse:
              #expect(shrinks || foundAge != nil && foundAge! < window)
              seen.insert("refuse")
            case .widen:
              #expect(!shrinks && foundWindow < window)
              seen.insert("widen")
            case .keep(let notes):
              #expect(!shrinks && foundWindow >= window)
              #expect(foundWindow == window || notes.contains { $0.contains("window") })
              seen.insert("keep")
            case .make: Issue.record("a stream that is there is made")
            }
          }
        }
      }
    }
    #expect(seen == ["refuse", "widen", "keep"])
    #expect(
      StreamPlan(found: nil, wanted: StreamState(window: .seconds(1)), given: []) == .make)
    let foreign = StreamState(window: .seconds(1), takesSubject: false)
    guard case .refuse = StreamPlan(found: foreign, wanted: foreign, given: []) else {
      Issue.record("a stream of others is taken")
      return
    }
  }

  @Test(.onThreads, .enabled(if: NatsServer.isHere, "\(NatsServer.why)"))
  func `makes one, widens it, and does not shrink it`() throws {
    let server = try NatsServer()
    func setup(_ more: String...) throws -> CommandRun {
      try CommandRun(
        ["\(PluginRun.products)/audispatch-nats", "--server", server.url, "--refused-file", "none"]
          + more + ["setup"])
    }
    #expect(try setup("--window", "60").output == "the stream AUDIT is made, for audit.*.*\n")
    #expect(try setup("--window", "60").output == "the stream AUDIT is there, and stays as it is\n")
    let wider = try setup()
    #expect(wider.output.contains("its window is 7200.0 seconds from now on"), "\(wider.error)")
    let narrower = try setup("--window", "60")
    #expect(narrower.output.contains("its window is 7200.0 seconds, and stays"))
    let shrunk = try setup("--max-age", "8000")
    #expect(shrunk.end == .exit(1))
    #expect(shrunk.error.contains("it is not made smaller"), "\(shrunk.error)")
    let other = try setup("--subject", "other.{node}")
    #expect(other.end == .exit(1))
    #expect(other.error.contains("does not take our subjects"), "\(other.error)")
    let client = try StreamClient(try server.options())
    try client.open()
    #expect(
      try client.look(for: "audit.x.y") == StreamState(window: .seconds(7200)))
    #expect(try client.look(for: "audit.x")?.takesSubject == false)
    client.close()
  }
}

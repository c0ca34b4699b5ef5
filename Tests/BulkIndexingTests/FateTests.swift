import Testing

@testable import BulkIndexing

@Suite("Fates")
struct FateTests {
  /// Every status that HTTP has, whole and as text: each has a fate, and none that loses what is not
  /// the document's fault.
  @Test func `of documents cover every status`() {
    for status in 100..<600 {
      for shape in [DocumentShape.whole, .text] {
        let fate = DocumentFate(ItemAnswer(status: status, errorType: "x", reason: "r"), shape)
        switch status {
        case 200..<300: #expect(fate == .stored)
        case 409: #expect(fate == .alreadyThere)
        case 401, 403, 404, 408, 429: #expect(fate == .later(reason: "r", mayBeStored: false))
        case 500...: #expect(fate == .later(reason: "r", mayBeStored: true))
        default: #expect(fate == .refused(type: "x", reason: "r"))
        }
      }
    }
  }

  @Test(arguments: [
    "mapper_parsing_exception", "document_parsing_exception", "strict_dynamic_mapping_exception",
    "illegal_argument_exception",
  ])
  func `of what the mapping refuses are once more as text, then an end`(_ type: String) {
    let item = ItemAnswer(status: 400, errorType: type, reason: "r")
    #expect(DocumentFate(item, .whole) == .asText(type: type, reason: "r"))
    #expect(DocumentFate(item, .text) == .refused(type: type, reason: "r"))
  }

  @Test func `of requests cover every status`() {
    for status in 100..<600 {
      for isOfDocuments in [false, true] {
        let body = isOfDocuments ? #"{"error":{"type":"t","reason":"e"}}"# : #"{"error":"e"}"#
        let fate = RequestFate(
          status: status, body: Array(body.utf8), retryAfter: .seconds(3))
        let reason = "status \(status): \(isOfDocuments ? "t: e" : "e")"
        switch status {
        case 200..<300: #expect(fate == .answered)
        case 413: #expect(fate == .tooLarge)
        case 400 where isOfDocuments, 422 where isOfDocuments:
          #expect(fate == .refused(reason: reason))
        case 500...: #expect(fate == .unclear(reason: reason, after: .seconds(3)))
        default: #expect(fate == .later(reason: reason, after: .seconds(3)))
        }
      }
    }
  }

  /// What servers and gateways say of a request that no document can put right.
  @Test(arguments: [
    #"{"error":"no handler found for uri [/x/a/_bulk] and method [POST]"}"#,
    "<html><title>400 The plain HTTP request was sent to HTTPS port</title></html>", "",
    #"{"error":{"type":"media_type_header_exception","reason":"Invalid media-type value"}}"#,
  ])
  func `of requests refuse no document for a place or a form`(_ body: String) {
    guard
      case .later = RequestFate(status: 400, body: Array(body.utf8), retryAfter: nil)
    else {
      Issue.record("a document is the reason for \(body)")
      return
    }
  }

  @Test(arguments: [
    (
      "validation_exception", "this action would add [2] shards, but this cluster has [1000]/[1000]"
    ),
    ("illegal_argument_exception", "pipeline with id [audit] does not exist"),
  ])
  func `of documents do not end where the index is full, or lacks a pipeline`(
    _ type: String, _ reason: String
  ) {
    let item = ItemAnswer(status: 400, errorType: type, reason: reason)
    for shape in [DocumentShape.whole, .text] {
      #expect(DocumentFate(item, shape) == .later(reason: reason, mayBeStored: false))
    }
    #expect(RefusedFate(item, hasFile: true) == .givenUp(reason: reason))
    #expect(RefusedFate(item, hasFile: false) == .later(reason: reason))
  }
}

@Suite("Waiting before another attempt")
struct RetryTests {
  @Test func `grows, is bounded and jittered`() {
    let delay = RetryDelay(shortest: .seconds(1), longest: .seconds(60))
    #expect(
      (1...9).map { delay.next(failures: $0, chance: 1) }
        == [1, 2, 4, 8, 16, 32, 60, 60, 60].map { .seconds($0) })
    for failures in [0, 1, 2, 7, 1_000_000] {
      for chance in [-1, 0, 0.3, 1, 2.0] {
        let whole = delay.next(failures: failures, chance: 1)
        let next = delay.next(failures: failures, chance: chance)
        #expect(next >= whole / 2 && next <= whole)
      }
    }
    #expect(delay.next(failures: 3, chance: 0) == .seconds(2))
  }

  @Test func `is as long as the server asks for, within a bound`() {
    let delay = RetryDelay(shortest: .seconds(1), longest: .seconds(60))
    #expect(delay.next(failures: 1, chance: 0, asked: .seconds(30)) == .seconds(30))
    #expect(delay.next(failures: 7, chance: 1, asked: .seconds(3)) == .seconds(60))
    #expect(
      delay.next(failures: 1, chance: 0, asked: .seconds(1_000_000)) == RetryDelay.mostAsked)
  }

  @Test func `is turned by hosts, but for those that failed`() {
    let delay = RetryDelay(shortest: .seconds(1), longest: .seconds(8))
    var hosts = HostChoice(count: 3)
    #expect((0..<4).map { _ in hosts.next(at: .zero) } == [.host(0), .host(1), .host(2), .host(0)])
    hosts.failed(1, at: .zero, delay, chance: 1)
    #expect((0..<3).map { _ in hosts.next(at: .zero) } == [.host(2), .host(0), .host(2)])
    #expect(hosts.next(at: .seconds(1)) == .host(0))
    #expect(hosts.next(at: .seconds(1)) == .host(1))
    for host in 0..<3 { hosts.failed(host, at: .seconds(1), delay, chance: 1) }
    // Host 1 for the second time.
    #expect(hosts.next(at: .seconds(1.5)) == .wait(until: .seconds(2)))
    #expect(!hosts.isReady(at: .seconds(1.5)))
    #expect(hosts.next(at: .seconds(2)) == .host(2))
    // Two requests that fail together are one failure.
    hosts.failed(2, at: .seconds(2), delay, chance: 1)
    hosts.failed(2, at: .seconds(2), delay, chance: 1)
    hosts.failed(0, at: .seconds(2), delay, chance: 1)
    #expect(hosts.earliest == .seconds(3))
    hosts.succeeded(0)
    #expect(hosts.next(at: .seconds(2)) == .host(0))
  }
}

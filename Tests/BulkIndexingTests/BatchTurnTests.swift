import Testing

@testable import BulkIndexing

@Suite("A batch on its way")
struct BatchTurnTests {
  private static func body(_ text: String) -> [UInt8] { Array(text.utf8) }
  private static let stream = body(
    #"{"data_streams":[{"indices":[{"index_name":"s-1"},{"index_name":"s-2"}]}]}"#)
  private static func turn(_ doubts: [Doubt], _ target: BulkTarget = .dataStream) -> BatchTurn {
    BatchTurn(target, shapes: doubts.map { _ in .whole }, doubts: doubts)
  }
  private static let unknown = Doubt.possible(since: [])

  @Test func `is stored at once where there is no doubt`() {
    var turn = Self.turn([.none, .none])
    #expect(turn.phase == .store)
    let answer = Self.body(
      #"{"items":[{"create":{"_index":"s-2","status":201}},{"create":{"status":409}}]}"#)
    #expect(
      turn.take(.status(200, body: answer, retryAfter: nil)) == .fates([.stored, .alreadyThere]))
    #expect(turn.index == Self.body("s-2") && !turn.mayBeTwice)
  }

  @Test func `is looked for before the index that is written to`() {
    var turn = Self.turn([Self.unknown, Self.unknown])
    #expect(turn.phase == .generations)
    #expect(turn.take(.status(200, body: Self.stream, retryAfter: nil)) == .proceed)
    #expect(turn.phase == .lookUp(indices: [Self.body("s-1")]))
    let found = Self.body(#"{"docs":[{"found":true},{"found":false}]}"#)
    #expect(turn.take(.status(200, body: found, retryAfter: nil)) == .found([true, false]))
    #expect(turn.phase == .store)
    // One document is left.
    let answer = Self.body(#"{"items":[{"create":{"_index":"s-2","status":201}}]}"#)
    #expect(turn.take(.status(200, body: answer, retryAfter: nil)) == .fates([.stored]))
    #expect(!turn.mayBeTwice)
  }

  @Test func `may be there twice where an older index cannot be asked`() {
    var turn = Self.turn([Self.unknown, Self.unknown])
    _ = turn.take(.status(200, body: Self.stream, retryAfter: nil))
    let found = Self.body(
      #"{"docs":[{"found":true},{"error":{"type":"no_shard_available_action_exception"}}]}"#)
    #expect(turn.take(.status(200, body: found, retryAfter: nil)) == .found([true, false]))
    #expect(turn.notLookedUp)
    let answer = Self.body(#"{"items":[{"create":{"_index":"s-2","status":201}}]}"#)
    #expect(turn.take(.status(200, body: answer, retryAfter: nil)) == .fates([.stored]))
    #expect(turn.mayBeTwice)
  }

  @Test func `is not there where an older index is gone`() {
    var turn = Self.turn([Self.unknown])
    _ = turn.take(.status(200, body: Self.stream, retryAfter: nil))
    let gone = Self.body(#"{"docs":[{"_id":"1","error":{"type":"index_not_found_exception"}}]}"#)
    #expect(turn.take(.status(200, body: gone, retryAfter: nil)) == .found([false]))
    #expect(!turn.notLookedUp)
  }

  @Test func `may be there twice where the stream rolled over after the look`() {
    var turn = Self.turn([Self.unknown])
    _ = turn.take(.status(200, body: Self.stream, retryAfter: nil))
    _ = turn.take(.status(200, body: Self.body(#"{"docs":[{"found":false}]}"#), retryAfter: nil))
    let answer = Self.body(#"{"items":[{"create":{"_index":"s-3","status":201}}]}"#)
    #expect(turn.take(.status(200, body: answer, retryAfter: nil)) == .fates([.stored]))
    #expect(turn.mayBeTwice)
  }

  @Test func `is not looked for where the index is still the one it was sent to`() {
    var turn = Self.turn([.possible(since: Self.body("s-2"))])
    #expect(turn.take(.status(200, body: Self.stream, retryAfter: nil)) == .proceed)
    #expect(turn.phase == .store && !turn.notLookedUp)
  }

  @Test(arguments: [BulkTarget.dataStream, .index])
  func `has nothing older where there is no such name`(_ target: BulkTarget) {
    var turn = Self.turn([Self.unknown], target)
    #expect(turn.take(.status(404, body: [], retryAfter: nil)) == .proceed)
    #expect(turn.phase == .store && !turn.notLookedUp && !turn.mayBeTwice)
  }

  /// Every phase with every kind of word: a step, and nothing that loses or doubts wrongly.
  @Test func `has a step for every answer in every phase`() {
    let phases: [(BatchTurn, isStore: Bool)] = [
      (Self.turn([Self.unknown]), false), (Self.lookingUp, false), (Self.turn([.none]), true),
    ]
    for (begun, isStore) in phases {
      for mayHaveArrived in [false, true] {
        var turn = begun
        #expect(
          turn.take(.failed("r", mayHaveArrived: mayHaveArrived))
            == .giveBack(reason: "r", after: nil, mayBeStored: mayHaveArrived && isStore))
      }
      for status in 100..<600 {
        for body in ["", "{}", "[1", #"{"items":[]}"#, #"{"docs":[]}"#, #"{"error":"e"}"#] {
          var turn = begun
          switch turn.take(.status(status, body: Self.body(body), retryAfter: nil)) {
          case .fates: Issue.record("a fate from \(status) \(body)")
          case .found: Issue.record("found by \(status) \(body)")
          case .proceed:
            #expect(!isStore)
            // An empty object is the answer for no alias.
            #expect(turn.phase == .store && (turn.notLookedUp || status == 404))
          case .giveBack(_, _, let mayBeStored):
            let isUnclear = isStore && ((200..<300).contains(status) || status >= 500)
            #expect(mayBeStored == isUnclear, "\(status)")
          case .split(_, let isTooLarge):
            #expect([400, 406, 413, 415, 422].contains(status))
            #expect(isTooLarge == (status == 413 && isStore))
          }
        }
      }
    }
  }

  private static var lookingUp: BatchTurn {
    var turn = turn([unknown])
    _ = turn.take(.status(200, body: stream, retryAfter: nil))
    return turn
  }
}

import Testing

@testable import AudispatchPlugin
@testable import audispatch_json

@Suite("Lines that wait")
struct LineQueueTests {
  private static func queue(_ lines: String...) -> LineQueue {
    var queue = LineQueue()
    for line in lines { queue.append([], Array(line.utf8), DeliveryToken()) }
    return queue
  }

  private static func text(_ bytes: ArraySlice<UInt8>) -> String {
    String(decoding: bytes, as: UTF8.self)
  }

  @Test func `are given whole, as many as there is room for`() {
    let queue = Self.queue("aa", "bb", "cc")
    #expect(Self.text(queue.chunk(6)) == "aa\nbb\n")
    #expect(Self.text(queue.chunk(8)) == "aa\nbb\n")
    #expect(Self.text(queue.chunk(100)) == "aa\nbb\ncc\n")
  }

  @Test func `are given one by one where one is larger than the room`() {
    let queue = Self.queue("aaaaaaaa", "bb")
    #expect(Self.text(queue.chunk(4)) == "aaaaaaaa\n")
  }

  @Test func `go on where a write stopped`() {
    var queue = Self.queue("aaaa", "bb", "cc")
    #expect(queue.takes(2).lines == 0)
    #expect(!queue.isAtLine)
    #expect(Self.text(queue.chunk(100)) == "aa\n")
    #expect(queue.takes(3).lines == 1)
    #expect(Self.text(queue.chunk(100)) == "bb\ncc\n")
  }

  @Test func `begin anew where their reader is gone`() {
    var queue = Self.queue("aaaa", "bbbb")
    #expect(queue.takes(7).lines == 1)
    queue.startOver()
    #expect(Self.text(queue.chunk(100)) == "bbbb\n")
    #expect(queue.waiting == 5)
  }

  @Test func `are done when all of them is written`() {
    var queue = Self.queue("a", "b")
    let (lines, token) = queue.takes(4)
    #expect(lines == 2 && token != nil)
    #expect(queue.waiting == 0 && queue.lines == 0)
  }

  @Test func `are done when the other host has them, and come again where it never had them`() {
    var queue = Self.queue("aaaa", "bbbb", "cc")
    queue.wrote(12)
    #expect(queue.arrive(allBut: 9).lines == 0 && queue.awaitsArrival && !queue.isAtLine)
    #expect(queue.arrive(allBut: 7).lines == 1)
    #expect(queue.arrive(allBut: 3).lines == 0 && queue.lines == 2 && queue.held == 8)
    #expect(Self.text(queue.chunk(100)) == "\n")
    queue.startOver()
    #expect(queue.isAtLine && Self.text(queue.chunk(100)) == "bbbb\ncc\n")
  }

  @Test func `take no more memory than what waits, however many came`() {
    var queue = LineQueue()
    let line = [UInt8](repeating: 0x61, count: 999)
    queue.append([], line, DeliveryToken())
    for _ in 0..<5000 {
      queue.append([], line, DeliveryToken())
      #expect(queue.takes(1000).lines == 1)
    }
    #expect(queue.waiting == 1000 && queue.lines == 1)
    #expect(queue.chunk(2000).count == 1000)
    #expect(queue.chunk(2000).endIndex <= 2 << 20)
  }
}

extension LineQueue {
  /// So many bytes are written to somebody who has them then.
  fileprivate mutating func takes(_ count: Int) -> (lines: Int, token: DeliveryToken?) {
    wrote(count)
    return arrive()
  }
}

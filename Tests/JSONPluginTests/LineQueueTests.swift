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
    #expect(queue.wrote(2).lines == 0)
    #expect(!queue.isAtLine)
    #expect(Self.text(queue.chunk(100)) == "aa\n")
    #expect(queue.wrote(3).lines == 1)
    #expect(Self.text(queue.chunk(100)) == "bb\ncc\n")
  }

  @Test func `begin anew where their reader is gone`() {
    var queue = Self.queue("aaaa", "bbbb")
    #expect(queue.wrote(7).lines == 1)
    queue.startOver()
    #expect(Self.text(queue.chunk(100)) == "bbbb\n")
    #expect(queue.waiting == 5)
  }

  @Test func `are done when all of them is written`() {
    var queue = Self.queue("a", "b")
    let (lines, token) = queue.wrote(4)
    #expect(lines == 2 && token != nil)
    #expect(queue.waiting == 0 && queue.lines == 0)
  }

  @Test func `take no more memory than what waits, however many came`() {
    var queue = LineQueue()
    let line = [UInt8](repeating: 0x61, count: 999)
    queue.append([], line, DeliveryToken())
    for _ in 0..<5000 {
      queue.append([], line, DeliveryToken())
      #expect(queue.wrote(1000).lines == 1)
    }
    #expect(queue.waiting == 1000 && queue.lines == 1)
    #expect(queue.chunk(2000).count == 1000)
    #expect(queue.chunk(2000).endIndex <= 2 << 20)
  }
}

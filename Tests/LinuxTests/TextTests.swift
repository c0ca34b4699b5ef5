import Linux
import Testing

@Suite("Text for messages")
struct TextTests {
  @Test(arguments: [("", 0, ""), ("", 2, "00"), ("7", 3, "007"), ("1234", 3, "1234")])
  func `has zeros in front of digits`(_ digits: String, _ count: Int, _ expected: String) {
    #expect(padded(digits, to: count) == expected)
  }

  @Test(arguments: [(0, "0 files"), (1, "1 file"), (2, "2 files")])
  func `counts things`(_ count: Int, _ expected: String) {
    #expect(counted(count, "file") == expected)
  }

  @Test(arguments: [
    ("/etc/x", "/etc", "x"), ("/x", "/", "x"), ("x", ".", "x"), ("a/", "a", ""), ("/", "/", ""),
  ])
  func `splits a path at its last slash`(_ path: String, _ folder: String, _ name: String) {
    #expect(Files.folder(of: path) == folder)
    #expect(Files.lastPart(of: path) == name)
  }
}

@Suite("A pause that doubles")
struct DoublingPauseTests {
  @Test func `is the longest in the end, and the first again after a success`() {
    var pause = DoublingPause(from: .milliseconds(100), to: .seconds(1))
    let pauses = (0..<6).map { _ in pause.next() }
    #expect(pauses == [100, 200, 400, 800, 1000, 1000].map { .milliseconds($0) })
    pause.reset()
    #expect(pause.next() == .milliseconds(100))
  }
}

@Suite("An errand")
struct ErrandTests {
  @Test func `rings when there is a result, while its work goes on`() throws {
    let work = try Bell(waits: true)
    let number = work.number
    let errand = try Errand<Int> { answer in
      answer(7)
      // Until the test lets it end.
      _ = Poll.readable([number], within: .seconds(60))
    }
    #expect(Poll.readable([errand.number], within: .seconds(60)) == [true])
    #expect(errand.result == 7)
    work.ring()
  }

  @Test func `has no result before`() throws {
    let pipe = try Pipe()
    let number = pipe.reading.number
    let errand = try Errand<Int> { answer in
      _ = Poll.readable([number], within: .seconds(60))
      answer(1)
    }
    #expect(errand.result == nil)
    #expect(Poll.readable([errand.number], within: .zero) == [false])
    try Transfer.writeAll(pipe.writing.number, [0])
    #expect(Poll.readable([errand.number], within: .seconds(60)) == [true])
    #expect(errand.result == 1)
  }
}

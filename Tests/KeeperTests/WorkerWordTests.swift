import Linux
import Testing

@testable import Keeper

@Suite("What a keeper and its worker say")
struct WorkerWordTests {
  @Test(arguments: [
    WorkerWord.keep(.max, pid: 17), .forget(1 << 32 | 5), .inForce, .lock(folder: "/run/a b/c"),
    .lock(folder: ""), .ready, .drained(isFarewell: false), .drained(isFarewell: true), .wentOn,
    .stopping, .release,
  ])
  func `is read as it was written, by a worker`(word: WorkerWord) {
    #expect(WorkerWord(word.text) == word)
  }

  @Test(arguments: [
    WordToWorker.hello(.init(crashes: 0, wait: nil, place: nil, children: [:])),
    .hello(
      .init(
        crashes: 5, wait: .milliseconds(1500), place: Moment(nanoseconds: .max),
        children: [1: 2, 1 << 32 | 7: 8])),
    .hello(.init(crashes: 5, wait: .zero, place: Moment(nanoseconds: 0), children: [:])),
    .hello(.init(crashes: 0, wait: nil, place: Moment(nanoseconds: 17), children: [3: 4])),
    .inForce, .ended(7), .front, .input,
    .released,
  ])
  func `is read as it was written, by a keeper`(word: WordToWorker) {
    #expect(WordToWorker(word.text) == word)
  }

  @Test(arguments: [
    "", "\0", "keep\u{0}1", "keep\0a\u{0}1", "keep\u{0}1\0b", "forget", "forget\0x", "lock",
    "ready\0",
    "drained\0", "hello", "hello\u{0}1", "hello\u{0}1\0", "hello\0x\0\0", "hello\u{0}1\0x\0",
    "hello\u{0}1\0\0x", "hello\u{0}1\0\0\u{0}1", "hello\u{0}1\0\0\u{0}1\0x", "ended\0x", "ended",
    "released ",
  ])
  func `is nobody's of ours`(text: String) {
    #expect(WorkerWord(text) == nil)
    #expect(WordToWorker(text) == nil)
  }
}

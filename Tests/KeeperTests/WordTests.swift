import Testing

@testable import Keeper

@Suite("What fronts and keepers say")
struct WordTests {
  private static let offer = Offer(
    version: "1.2", device: 3, inode: .max, arguments: ["--source", "stdin", "", "a b"])

  @Test(arguments: [
    FrontWord.offer(offer), .offer(Offer(version: "", device: 0, inode: 0, arguments: [])), .input,
    .signal(1),
  ])
  func `is read as it was written, by a front`(word: FrontWord) {
    #expect(FrontWord(word.text) == word)
  }

  @Test(arguments: [KeeperWord.welcome, .no("a\0reason"), .no(""), .taken, .end(0), .end(-1)])
  func `is read as it was written, by a keeper`(word: KeeperWord) {
    #expect(KeeperWord(word.text) == word)
  }

  @Test(arguments: [
    "", "\0", "offer", "offer\u{0}1\0v\0a\0b", "offer\u{0}2\0v\u{0}1\u{0}2", "input\0", "signal",
    "signal\0x", "taken", "end\0", "no", "welcome\0", "offer\u{0}1\0v\u{0}1",
  ])
  func `is nobody's of ours`(text: String) {
    #expect(FrontWord(text) == nil)
    if text != "taken" { #expect(KeeperWord(text) == nil) }
  }

  @Test func `is no offer for a keeper that is another program`() {
    let changes: [(String, (inout Offer) -> Void)] = [
      ("it is version 1.2", { $0.version = "1.3" }),
      ("its executable was replaced", { $0.inode = 1 }),
      ("its executable was replaced", { $0.device = 1 }),
      ("it was started with other arguments", { $0.arguments = ["--source", "stdin", "a b"] }),
    ]
    for (reason, change) in changes {
      var other = Self.offer
      change(&other)
      #expect(Self.offer.objection(to: other) == reason)
    }
    #expect(Self.offer.objection(to: Self.offer) == nil)
  }
}

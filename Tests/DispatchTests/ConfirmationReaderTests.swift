import Journal
import Testing

@testable import AuditDispatch

@Suite("What a plugin confirms")
struct ConfirmationReaderTests {
  @Test(arguments: [
    ("ok 7\n", 7, 0), ("ok 7\r\n", 7, 0), ("ok 3\nok 9\n", 9, 0), ("ok 9\nok 3\n", 9, 0),
    ("ok 18446744073709551615\n", UInt64.max, 0), ("ok 18446744073709551616\n", nil, 1),
    ("ok\n", nil, 1), ("ok \n", nil, 1), ("ok 7", nil, 0), ("ok -1\n", nil, 1),
    ("OK 7\n", nil, 1), ("ok 7 8\n", nil, 1), ("\n", nil, 1), ("x\nok 2\n", 2, 1),
    ("a line that is far too long to be a confirmation\nok 5\n", 5, 1),
  ])
  func `is the highest number said, whatever the pieces`(
    text: String, number: UInt64?, malformed: UInt64
  ) {
    let bytes = Array(text.utf8)
    for cut in 0...bytes.count {
      var reader = ConfirmationReader()
      let first = reader.take(bytes[..<cut])
      let second = reader.take(bytes[cut...])
      #expect([first, second].compactMap { $0 }.max()?.value == number)
      #expect(reader.malformed == malformed)
    }
  }

  @Test func `shows a sample once`() {
    var reader = ConfirmationReader()
    _ = reader.take(Array("hello\u{1}\nagain\n".utf8))
    #expect(reader.takeSample() == "hello\\x01")
    #expect(reader.takeSample() == nil)
  }
}

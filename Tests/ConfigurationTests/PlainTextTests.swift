import Configuration
import Testing

@Suite("A part of a text")
struct PlainTextTests {
  @Test(arguments: [
    ("abc", "abc"), ("abc", "a"), ("abc", "c"), ("abc", "bc"), ("aab", "ab"), ("abc", ""), ("", ""),
    ("x: error: y", ": error: "), ("für", "ü"),
  ])
  func `is found wherever it is`(_ text: String, _ part: String) {
    #expect(text.holds(part) && text[...].holds(part))
  }

  @Test(arguments: [
    ("abc", "abcd"), ("abc", "ac"), ("", "a"), ("abc", "B"), ("a", "a "),
    // One character in two scalars is not that in one: it is bytes that are compared.
    ("u\u{308}", "\u{fc}"),
  ])
  func `is not found where it is not`(_ text: String, _ part: String) {
    #expect(!text.holds(part))
  }
}

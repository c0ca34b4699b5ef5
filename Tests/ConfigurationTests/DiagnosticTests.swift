import Configuration
import Testing

@Suite("A diagnostic")
struct DiagnosticTests {
  @Test func `is one line with place, word and suggestion`() {
    let diagnostic = Diagnostic(
      .error, file: "/etc/a.conf", at: .init(line: 3, column: 10), word: "yess",
      "active is yes or no", suggestion: "did you mean 'yes'?")
    #expect(
      diagnostic.description
        == "/etc/a.conf:3:10: error: active is yes or no ('yess'); did you mean 'yes'?")
  }

  @Test func `is safe on a terminal`() {
    let diagnostic = Diagnostic(
      .note, file: "/a\nb", word: "\u{1B}[2J\u{85}\u{202E}", "x", suggestion: "y\u{7}")
    #expect(
      diagnostic.description == "/a\\x0Ab: note: x ('\\x1B[2J\\x85\\u{202E}'); y\\x07")
  }

  @Test func `cuts a long word`() {
    let diagnostic = Diagnostic(
      .warning, file: "f", word: String(repeating: "w", count: 100), "m")
    #expect(
      diagnostic.description == "f: warning: m ('\(String(repeating: "w", count: 80))…')")
  }
}

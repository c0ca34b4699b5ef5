import ProcessContext
import TestSupport
import Testing

/// What is expected is what Rust's crate regex does.
@Suite("A regular expression")
struct PatternTests {
  static let matching: [(String, String)] = [
    ("", "anything"), ("b", "abc"), ("^/opt/.*/bin/java$", "/opt/a/b/bin/java"),
    ("a|b|c", "xxc"), ("^(?:ab)+$", "ababab"), ("x{2,3}", "axxb"), ("^x{2}$", "xx"),
    ("^a?$", ""), ("\\d+", "a12"), ("^\\w+$", "aZ_9ä"), ("\\s", "a b"), ("^\\S+$", "ab"),
    ("[.]sh$", "x.sh"), ("[^a-z]", "a1"), ("[]x]", "]"), ("[a\\]]", "]"), ("[[:alpha:]]+", "1a"),
    ("(?i)BASH", "/bin/bash"), ("(?i:B)ash", "bash"), ("^(?P<n>a)(?<m>b)$", "ab"),
    ("\\x41\\u0042\\x{43}", "ABC"), ("a.c", "aüc"), ("(?s)a.c", "a\nc"), ("(?m)^b$", "a\nb\nc"),
    ("\\bcat\\b", "a cat!"), ("\\Bat", "cat"), ("a\\.b", "a.b"), ("^[\\d.]+$", "1.2"),
    ("\\Aa\\z", "a"), ("(a*)*b", "aaab"), ("a-b", "a-b"), ("[a-]", "-"), ("[+--]", ","),
  ]

  static let failing: [(String, String)] = [
    ("^b", "ab"), ("a.c", "a\nc"), ("^x{2}$", "xxx"), ("\\d", "abc"), ("[^a]", "a"),
    ("\\bat", "cat"), ("bash", "BASH"), ("^(?i)a$", "b"), ("(?i:b)ash", "bASH"), ("a+", "bbb"),
  ]

  @Test(arguments: matching)
  func `is found`(_ pattern: String, _ text: String) throws {
    #expect(try Pattern(pattern).matches(text.utf8))
  }

  @Test(arguments: failing)
  func `is not found`(_ pattern: String, _ text: String) throws {
    #expect(try !Pattern(pattern).matches(text.utf8))
  }

  @Test(arguments: [
    "(", ")", "a)", "[", "[]", "[a", "*a", "a{2", "a{3,2}", "a{1001}", "(?=a)", "(?<!a)", "\\1",
    "\\p{L}", "\\y", "[b-a]", "(?z)", "\\", "\\x{110000}", "[[:nope:]]", "[a&&b]", "(?P<>a)",
    "a{1000}{1000}", String(repeating: "(", count: 5000), String(repeating: "a*", count: 9000),
    "a" + String(repeating: "*", count: 5000),
  ])
  func `is refused`(_ pattern: String) {
    #expect(throws: PatternFault.self) { try Pattern(pattern) }
  }

  @Test func `takes no longer for one that could be matched in many ways`() throws {
    let pattern = try Pattern("^(a|aa|a*)*b$")
    #expect(!pattern.matches([UInt8](repeating: 0x61, count: 1000)))
    let nothing = try Pattern("(((){1000}){1000}){1000}")
    #expect(nothing.matches([]))
  }

  @Test func `sees bytes that are no text as characters of their own`() throws {
    #expect(try Pattern("^a.b$").matches([0x61, 0xff, 0x62]))
    #expect(try !Pattern("^a\\wb$").matches([0x61, 0xff, 0x62]))
  }

  @Test func `means the same in a group, whatever it is`() throws {
    var random = Seeded(of: "patterns")
    let signs = Array("ab01.*+?|()[]{}^$\\-,:=!<>PdwsbBxuUpim&~ ")
    var matches = 0
    for _ in 0..<5000 {
      let text = String(
        (0..<Int.random(in: 0...20, using: &random)).map { _ in signs.randomElement()! })
      guard let pattern = try? Pattern(text) else { continue }
      let doesMatch = pattern.matches("aab 01 ba".utf8)
      #expect(try Pattern("(?:\(text))").matches("aab 01 ba".utf8) == doesMatch, "\(text)")
      #expect(try Pattern("(?:\(text)){2}|z").matches("z".utf8), "\(text)")
      if doesMatch { matches += 1 }
    }
    #expect(matches > 100)
  }
}

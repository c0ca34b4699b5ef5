import Testing

@testable import Configuration

@Suite("A command line")
struct CommandLineWordsTests {
  static let options: [CommandLineWords.Option] = [
    .init("max_size", letter: "m", value: .required), .init("raw", value: .optional),
    .init("check"),
  ]

  /// `max_size=64K raw=yes | a b`: the settings, then the operands.
  private static func text(_ arguments: [String]) throws(CommandLineWords.Fault) -> String {
    let words = try CommandLineWords(arguments, options)
    let settings = words.settings.map { "\($0.keyword.text)=\($0.values[0].text)" }
    return (settings + ["|"] + words.operands.map(\.text)).joined(separator: " ")
  }

  static let read: [([String], String)] = [
    ([], "|"), (["--max-size", "64K"], "max_size=64K |"), (["--max-size=64K"], "max_size=64K |"),
    (["--max_size=a=b"], "max_size=a=b |"), (["-m", "1"], "max_size=1 |"),
    (["-m=1"], "max_size=1 |"), (["--raw"], "raw=yes |"), (["--raw=no", "a"], "raw=no | a"),
    (["--raw", "no"], "raw=yes | no"), (["--check", "-", "a"], "check=yes | - a"),
    (["--max-size", "--raw"], "max_size=--raw |"), (["a", "--", "--raw", "--"], "| a --raw --"),
    (["--raw", "--raw=no"], "raw=yes raw=no |"),
  ]

  @Test(arguments: read.indices)
  func `is options with their values, and the rest`(_ index: Int) throws {
    let (arguments, expected) = Self.read[index]
    #expect(try Self.text(arguments) == expected)
  }

  static let refused: [([String], String)] = [
    (["--maxsize"], "unknown option '--maxsize'; did you mean '--max-size'?"),
    (["-x"], "unknown option '-x'; see --help"), (["---"], "unknown option '---'; see --help"),
    (["--max-size"], "--max-size needs a value"), (["--max-size="], "--max-size needs a value"),
    (["-m", ""], "-m needs a value"), (["--check=yes"], "--check takes no value"),
    (["--check="], "--check takes no value"),
    (["--\u{1b}[2J"], "unknown option '--\\x1B[2J'; see --help"),
  ]

  @Test(arguments: refused.indices)
  func `that cannot be followed is refused with a reason`(_ index: Int) {
    let (arguments, reason) = Self.refused[index]
    do throws(CommandLineWords.Fault) {
      let text = try Self.text(arguments)
      Issue.record("taken as \(text)")
    } catch { #expect(UsageError(error).description == reason) }
  }

  @Test func `says which argument is wrong`() throws {
    let words = try CommandLineWords(["--raw", "-m", "7", "x"], Self.options)
    #expect(words.settings.map(\.keyword.file) == ["argument 1", "argument 2"])
    #expect(words.operands.map(\.file) == ["argument 4"])
  }
}

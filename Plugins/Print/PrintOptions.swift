import AudispatchPlugin
import Configuration

/// What `audispatch-print` was asked for.
struct PrintOptions: PluginOptions, Equatable {
  var raw = false
  var utc = false
  /// Where to write; standard output without it.
  var output: String?

  static let keywords: [PluginKeyword<PrintOptions>] = [
    .flag("raw", "print the records as they are") { $0.raw = $1 },
    .flag("utc", "show times in UTC instead of local time") { $0.utc = $1 },
    .value("output", "FILE", "write behind what is in FILE", letter: "o") {
      (options: inout PrintOptions, word: Word) throws(Diagnostic) in
      try options.write(to: word)
    },
  ]

  /// `audispatch-print FILE` is `audispatch-print --output FILE`.
  mutating func take(_ operands: [Word]) throws(Diagnostic) {
    if operands.count > 1 { throw operands[1].error("more than one file") }
    try write(to: operands[0])
  }

  private mutating func write(to file: Word) throws(Diagnostic) {
    guard !file.text.isEmpty else { throw file.error("the name of the file is empty") }
    output = file.text
  }
}

import AudispatchPlugin
import Configuration
import Linux

/// What `audispatch-print` was asked for.
struct PrintOptions: PluginOptions, Equatable {
  var raw = false
  var utc = false
  /// Where to write; standard output without it.
  var output: String?
  /// Where that stands.
  private var place: Word?

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
    place = file
  }

  /// What can never be written to.
  func settle() -> [Diagnostic] {
    guard let output, let place else { return [] }
    let kind = try? Files.status(of: output).kind
    if kind == .directory || kind == .socket {
      return [place.error("\(output) is a \(kind?.rawValue ?? ""), not a file")]
    }
    guard let slash = output.lastIndex(of: "/"), slash > output.startIndex else { return [] }
    let folder = String(output[..<slash])
    if let status = try? Files.status(of: folder), status.kind != .directory {
      return [place.error("\(folder) is a \(status.kind.rawValue), not a folder")]
    }
    if kind == nil, output.hasSuffix("/") {
      return [place.error("\(output) can only be a folder")]
    }
    return []
  }
}

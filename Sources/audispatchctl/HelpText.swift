import ArgumentParser

/// The help of the argument parser in the words and the order of our other programs' help.
enum HelpText {
  /// Whether a parser's end is that somebody asked for help.
  static func isAsked(_ status: ExitCode, _ text: String) -> Bool {
    status == .success && (text.hasPrefix("OVERVIEW: ") || text.hasPrefix("USAGE: "))
  }

  /// The usage first, then what it does, then the lists.
  static func restyled(_ text: String) -> String {
    var paragraphs = text.split(separator: "\n\n", omittingEmptySubsequences: true).map(String.init)
    let usage = paragraphs.firstIndex { $0.hasPrefix("USAGE: ") }.map { paragraphs.remove(at: $0) }
    if let overview = paragraphs.first, overview.hasPrefix("OVERVIEW: ") {
      paragraphs[0] = String(overview.dropFirst("OVERVIEW: ".count))
    }
    if let usage {
      let first = "Usage: " + usage.dropFirst("USAGE: ".count)
      paragraphs[0] = paragraphs.isEmpty ? first : first + "\n" + paragraphs[0]
    }
    return paragraphs.map(listed).joined(separator: "\n\n").trimmedAtEnd + "\n"
  }

  /// A list without its heading in capitals.
  private static func listed(_ paragraph: String) -> String {
    var text = paragraph
    for (heading, ours) in [
      ("OPTIONS:", "Options:"), ("ARGUMENTS:", "Arguments:"), ("SUBCOMMANDS:", "Commands:"),
    ] where text.hasPrefix(heading) { text = ours + text.dropFirst(heading.count) }
    return
      text
      .replacing(
        "  --version               Show the version.",
        with: "  -V, --version           Print the version."
      )
      .replacing("Show help information.", with: "Print this.")
  }
}

extension String {
  fileprivate var trimmedAtEnd: String {
    var rest = self[...]
    while rest.last?.isNewline == true { rest = rest.dropLast() }
    return String(rest)
  }
}

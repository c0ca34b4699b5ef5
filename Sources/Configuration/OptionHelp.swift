/// The list of options in what `--help` prints.
public struct OptionHelp: Sendable {
  private var rows: [(option: String, about: String)] = []

  public init() {}

  /// Adds an option that is no keyword.
  public mutating func add(_ option: String, _ about: String) { rows.append((option, about)) }

  /// Adds the options of keywords, with what counts without them where `target` is as it comes.
  public mutating func add<Target>(_ keywords: [Keyword<Target>], in target: Target) {
    for keyword in keywords {
      let letter = keyword.letter.map { "-\($0), " } ?? ""
      let standard = keyword.standard(in: target).map { " (\($0))" } ?? ""
      add(
        letter + keyword.option + (keyword.value.map { " \($0)" } ?? ""), keyword.about + standard)
    }
  }

  /// A line for each option, or more where its text has more.
  public var text: String {
    let width = rows.map(\.option.count).max() ?? 0
    var text = ""
    for (option, about) in rows {
      var head = "  " + option + String(repeating: " ", count: width - option.count)
      for line in about.split(separator: "\n", omittingEmptySubsequences: false) {
        text += head + "  \(line)\n"
        head = String(repeating: " ", count: 2 + width)
      }
    }
    return text
  }
}

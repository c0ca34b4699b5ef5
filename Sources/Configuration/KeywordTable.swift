/// The keywords of one kind of file, and what is said of words that are none.
package struct KeywordTable<Target>: Sendable {
  package let keywords: [Keyword<Target>]
  /// Of other programs' files of the same name: they mean nothing here.
  var ignored: Set<String> = []
  /// The same, but warned of with these words.
  var obsolete: (words: Set<String>, warning: String) = ([], "")
  /// Where a word belongs that is a keyword of another kind of file.
  var elsewhere: @Sendable (String) -> String? = { _ in nil }

  package init(_ keywords: [Keyword<Target>]) { self.keywords = keywords }

  package subscript(name: String) -> Keyword<Target>? { keywords.first { $0.name == name } }

  /// Every word that may stand before the `=`, for suggestions.
  package var names: [String] { (keywords.map(\.name) + ignored + obsolete.words).sorted() }

  /// Takes a setting, or says what is wrong with it; what is doubtful about one that is taken comes
  /// back.
  package func apply(_ setting: Setting, to target: inout Target) throws(Diagnostic) -> Diagnostic?
  {
    let name = setting.keyword.text.lowercased()
    guard let keyword = self[name] else {
      if obsolete.words.contains(name) { return setting.keyword.warning(obsolete.warning) }
      if ignored.contains(name) { return nil }
      throw setting.keyword.error(
        "unknown keyword", suggestion: elsewhere(name) ?? Suggestion.near(name, among: names))
    }
    try keyword.apply(&target, setting)
    return keyword.doubt?(target, setting)
  }

  /// Goes through a file in the order of its lines, and stops where there are too many problems.
  ///
  /// - Returns: what is wrong in it, and whether it was read to its end.
  package func read(
    _ text: ConfigurationText,
    _ take: (Setting) throws(Diagnostic) -> Diagnostic?
  ) -> (problems: [Diagnostic], isWhole: Bool) {
    var problems = text.diagnostics
    var lines: [String: Int] = [:]
    for setting in text.settings {
      let line = setting.keyword.position.line
      if problems.isFull(at: line, of: setting.keyword.file) { return (problems, false) }
      let name = setting.keyword.text.lowercased()
      if let before = lines[name], self[name]?.repeats != true {
        problems.append(
          setting.keyword.warning("given before, on line \(before); this one counts"))
      }
      lines[name] = line
      do throws(Diagnostic) {
        if let doubt = try take(setting) { problems.append(doubt) }
      } catch { problems.append(error) }
    }
    return (problems, true)
  }
}

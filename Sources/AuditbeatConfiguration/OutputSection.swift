import Configuration

/// `output.elasticsearch`, on its way into settings of elastic.conf.
struct OutputSection: Sendable {
  var isEnabled = true
  var hosts: [YAMLItem] = []
  var scheme = "http"
  var path = ""
  /// Of each host.
  var workers: (count: Int, at: Word)?
  var documents: (count: Int, at: Word)?
  /// What counts over the two before, and over the compression.
  var preset: (documents: Int, workers: Int, at: Word)?
  private(set) var settings: [Setting] = []

  mutating func take(
    _ name: String, _ setting: FlatSetting, _ values: ImportedValues,
    _ diagnostics: inout [Diagnostic]
  ) {
    if case .scalar = setting.item.value, setting.item.word.text.isEmpty { return }
    do throws(Diagnostic) {
      switch OutputKeys.meaning(of: name) {
      case .take(let body): try body(&self, setting, values)
      case .copy(let keyword):
        try set(keyword, try values.text(setting.item, name, setting.key), at: setting.item.word)
      case .otherwise(let text): throw setting.key.problem(text, severity: .note, suggestion: nil)
      case .without(let text): throw setting.key.warning(text)
      case nil:
        throw setting.key.warning(
          "no such key of output.elasticsearch is known",
          suggestion: Suggestion.near(name, among: OutputKeys.names))
      }
    } catch { diagnostics.append(error) }
  }

  /// Notes a setting of our file, which has to be able to have it.
  mutating func set(_ keyword: String, _ value: String, at word: Word) throws(Diagnostic) {
    guard ImportedText.value(value) != nil else {
      throw Word(text: keyword, file: word.file, position: word.position).warning(
        "a value that cannot stand on a line of our file")
    }
    settings.append(ImportedText.setting(keyword, value, at: word))
  }

  /// What it all comes to.
  func settled(_ diagnostics: inout [Diagnostic]) -> [Setting] {
    guard isEnabled else { return [] }
    var found = self
    found.settings = []
    do throws(Diagnostic) {
      for host in hosts { try found.set("server", url(host), at: host.word) }
      let documents = preset.map { ($0.documents, $0.at) } ?? self.documents
      if let documents { try found.set("bulk_documents", "\(documents.0)", at: documents.1) }
      if let workers = preset.map({ ($0.workers, $0.at) }) ?? self.workers {
        try found.set("workers", allWorkers(workers, &diagnostics), at: workers.1)
      }
    } catch { diagnostics.append(error) }
    guard let preset else { return found.settings + settings }
    let others = settings.filter { $0.keyword.text != "compression" }
    if documents != nil || workers != nil || others.count < settings.count {
      diagnostics.append(
        preset.at.problem(
          "counts over bulk_max_size, worker and compression_level", severity: .note,
          suggestion: nil))
    }
    return found.settings + others
  }

  /// Those of all hosts.
  private func allWorkers(
    _ each: (count: Int, at: Word), _ diagnostics: inout [Diagnostic]
  ) -> String {
    let most = 16
    let count = min(min(each.count, most) * max(hosts.count, 1), most)
    if hosts.count > 1 || count != each.count {
      diagnostics.append(
        each.at.problem(
          "is for each host; workers is for all of them, \(most) at most", severity: .note,
          suggestion: nil))
    }
    return "\(count)"
  }

  /// A host as a URL, with what it does not say itself.
  private func url(_ host: YAMLItem) throws(Diagnostic) -> String {
    var text = host.word.text
    if text.firstRange(of: "://") == nil { text = "\(scheme)://\(text)" }
    let begin = text.firstRange(of: "://")?.upperBound ?? text.startIndex
    let end = text[begin...].firstIndex(of: "/") ?? text.endIndex
    var authority = String(text[begin..<end])
    let place = authority.lastIndex(of: "]").map { authority[$0...] } ?? authority[...]
    if !place.contains(":") { authority += ":9200" }
    let own = text[end...]
    return text[..<begin] + authority + (own.isEmpty || own == "/" ? path : String(own))
  }
}

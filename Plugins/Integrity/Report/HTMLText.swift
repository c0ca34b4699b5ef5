import AudispatchPlugin

/// A page of HTML, in which every value is escaped: what is not plain is written as `SafeText` has it
/// for a terminal, and what means something to a browser as an entity.
///
/// It has its style in itself, no script, and a policy that forbids to load or to run anything. A
/// cell of a table is `brief`, and stays on one line, or `long`, and is broken anywhere; where there
/// is little room, the cells of a row stand below one another.
struct HTMLText {
  private(set) var text: String

  init(title: String) {
    text = """
      <!DOCTYPE html>
      <html lang="en"><head><meta charset="utf-8">
      <meta http-equiv="Content-Security-Policy" \
      content="default-src 'none'; style-src 'unsafe-inline'">
      <meta name="viewport" content="width=device-width">
      <title>\(Self.escaped(title))</title>
      <style>
      body { font: 15px/1.45 sans-serif; margin: 2em auto; max-width: 75em; padding: 0 1em;
        color: #1b1b1b; background: #fff; color-scheme: light dark }
      h1 { font-size: 1.5em } h2 { font-size: 1.2em; margin-top: 2em }
      h1, p, li, pre, .long { overflow-wrap: anywhere }
      table { border-collapse: collapse; width: 100% }
      th, td { text-align: left; vertical-align: top; padding: .3em 1em .3em 0;
        border-bottom: 1px solid #ddd }
      .brief { white-space: nowrap; width: 1% } .long { min-width: 9em }
      .path, pre { font-family: monospace } pre { margin: .2em 0 0; white-space: pre-wrap }
      .critical, .high, .problem { color: #a40000; font-weight: bold }
      .low, .quiet { color: #555 }
      @media (max-width: 45em) {
        table, tbody, tr, .long { display: block } tr:first-child { display: none }
        tr { padding: .5em 0; border-bottom: 1px solid #ddd }
        td { border: 0; padding: 0 } .by > :first-child::before { content: "by " }
        .brief { display: inline-block; width: auto; padding-right: .6em } }
      @media (prefers-color-scheme: dark) {
        body { color: #e4e4e4; background: #1c1c1c } tr, th, td { border-color: #444 }
        .critical, .high, .problem { color: #ff8a80 } .low, .quiet { color: #aaa } }
      </style></head><body>

      """
  }

  /// Ends the page.
  consuming func finish() -> String { text + "</body></html>\n" }

  mutating func element(
    _ name: StaticString, class kind: StaticString? = nil, _ value: String
  ) {
    open(name, class: kind)
    text += Self.escaped(value)
    close(name)
  }

  mutating func element(
    _ name: StaticString, class kind: StaticString? = nil, _ body: (inout HTMLText) -> Void
  ) {
    open(name, class: kind)
    body(&self)
    close(name)
  }

  mutating func table(_ heads: [String], _ rows: (inout HTMLText) -> Void) {
    element("table") { table in
      table.element("tr") { row in for head in heads { row.element("th", head) } }
      rows(&table)
    }
  }

  private mutating func open(_ name: StaticString, class kind: StaticString?) {
    text += kind.map { "<\(name) class=\"\($0)\">" } ?? "<\(name)>"
  }

  private mutating func close(_ name: StaticString) { text += "</\(name)>\n" }

  private static func escaped(_ value: String) -> String {
    // Values of more than one line are made of lines that are safe each.
    let safe = value.split(separator: "\n", omittingEmptySubsequences: false)
      .map { SafeText.line(Array($0.utf8)) }.joined(separator: "\n")
    var escaped = ""
    for scalar in safe.unicodeScalars {
      switch scalar {
      case "&": escaped += "&amp;"
      case "<": escaped += "&lt;"
      case ">": escaped += "&gt;"
      case "\"": escaped += "&quot;"
      case "'": escaped += "&#39;"
      default: escaped.unicodeScalars.append(scalar)
      }
    }
    return escaped
  }
}

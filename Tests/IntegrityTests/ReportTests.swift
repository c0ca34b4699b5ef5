import Glibc
import Linux
import PluginHarness
import TestSupport
import Testing

@testable import audispatch_integrity

@Suite("A report", .onThreads)
struct ReportTests {
  /// Names that a page could take for something else.
  private static let hostile: [[UInt8]] =
    [
      "<script>alert(1)<script>", "\"><img src=x onerror=alert(1)>", "'onmouseover='x", "&lt;b&gt;",
      "<", "</pre><style>*{display:none}", "line\nbreak", "\u{202e}right to left", "<!--", "]]>",
      "javascript:alert(1)",
    ].map { Array($0.utf8) } + [[0xff, 0xfe]]

  private func watched() throws -> Watched {
    let watched = try Watched("watch = TREE content+mode severity=high")
    try watched.shell("echo x > f; echo x > gone; echo x > '<b>accepted'")
    _ = try watched.run("init")
    try watched.shell("echo y > '<b>accepted'")
    _ = try watched.run("update", "--reason", "<script>the reason</script>")
    try watched.shell("mkdir '<'")
    for name in Self.hostile where name != Array("<".utf8) {
      let path = Array(watched.tree.utf8) + [0x2f] + name + [0]
      let number = unsafe path.withUnsafeBytes { bytes in
        unsafe open(
          bytes.baseAddress!.assumingMemoryBound(to: CChar.self), O_CREAT | O_WRONLY, 0o644)
      }
      #expect(number >= 0)
      close(number)
    }
    try watched.shell("echo z > f; rm gone; chmod 4755 f")
    return watched
  }

  @Test func `says on a terminal what, who, what was accepted, and what may be missed`() throws {
    let watched = try watched()
    let run = try watched.run("report")
    #expect(run.end == .exit(1), "\(run.error)")
    let lines = run.output.replacing(watched.tree, with: "TREE").split(separator: "\n")
    #expect(
      lines[1]
        == "14 differences: 1 critical, 13 high, 0 medium, 0 low; something may have been missed.")
    #expect(lines.contains { $0.hasSuffix("changed  critical TREE/f (mode+sha256)") })
    #expect(lines.contains { $0.hasPrefix("  unknown  removed  high     TREE/gone") })
    #expect(lines.contains { $0.hasSuffix("  unknown") })
    #expect(
      lines.contains { $0.contains("<script>the reason</script>: 0 added, 0 removed, 1 changed") })
    #expect(lines.contains("  no recorded log was given that says who it was (audit_log)"))
    // Nothing that a terminal obeys.
    #expect(
      !run.output.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" || $0.value == 0x202e })
  }

  @Test func `is a page in which every name is text`() throws {
    let watched = try watched()
    let page = watched.folder + "/page.html"
    let run = try watched.run("report", "--html", page)
    #expect(run.end == .exit(1), "\(run.error)")
    #expect(run.output.isEmpty)
    #expect(try Files.status(of: page).mode == 0o600)
    try watched.write(Self.reader, to: watched.folder + "/reader.py")
    let read = try CommandRun("/usr/bin/python3", watched.folder + "/reader.py", page)
    #expect(read.end == .exit(0), "\(read.error)")
    let text = read.output.replacing(watched.tree, with: "TREE")
    for name in [
      "<script>alert(1)<script>", #""TREE/\"><img src=x onerror=alert(1)>""#, "'onmouseover='x",
      "&lt;b&gt;", #"line\nbreak"#, #"\u{202e}right to left"#, #"\xff\xfe"#, "<!--", "]]>",
      "<script>the reason</script>", "<b>accepted",
    ] {
      #expect(text.contains(name), "\(name)")
    }
  }

  /// Prints the text of a page; fails where there is a tag or an attribute that is not ours.
  private static let reader = #"""
    import sys
    from html.parser import HTMLParser
    known = set("html head meta title style body h1 h2 p table tr th td div details summary pre "
                "ul li".split())
    class Reader(HTMLParser):
        def __init__(self):
            super().__init__()
            self.open = []
        def handle_starttag(self, tag, attributes):
            assert tag in known, tag
            for name, value in attributes:
                assert name in ("class", "lang", "charset", "http-equiv", "content", "name"), name
            if tag != "meta": self.open.append(tag)
        def handle_endtag(self, tag):
            assert self.open.pop() == tag, tag
        def handle_data(self, data): print(data)
        def handle_comment(self, data): sys.exit("a comment: " + data)
        def unknown_decl(self, data): sys.exit("a declaration: " + data)
        def handle_pi(self, data): sys.exit("an instruction: " + data)
    reader = Reader()
    reader.feed(open(sys.argv[1], encoding="utf-8").read())
    reader.close()
    assert reader.open == [], reader.open
    """#

  @Test func `says that all is well where it is`() throws {
    let watched = try Watched("watch = TREE content")
    try watched.shell("echo x > f")
    _ = try watched.run("init")
    let run = try watched.run("report")
    #expect(run.end == .exit(0))
    #expect(run.output.contains("\nNothing differs from the baseline"))
    #expect(!run.output.contains("by whom"))
  }
}

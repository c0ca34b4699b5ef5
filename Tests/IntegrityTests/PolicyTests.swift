import Configuration
import Linux
import Testing

@testable import AudispatchPlugin
@testable import audispatch_integrity

private func word(_ text: String) -> Word {
  Word(text: text, file: "test.conf", position: Diagnostic.Position(line: 1, column: 1))
}

private func options(_ lines: String) -> (IntegrityOptions, [String]) {
  var options = IntegrityOptions()
  var errors: [String] = []
  let text = ConfigurationText(Array(lines.utf8), file: "test.conf")
  for setting in text.settings {
    do throws(Diagnostic) {
      guard
        let keyword = IntegrityOptions.keywords.first(where: { $0.name == setting.keyword.text })
      else { throw setting.keyword.error("unknown") }
      try keyword.apply(&options, setting)
    } catch { errors.append(error.description) }
  }
  return (options, errors)
}

@Suite("Rules of what is watched")
struct PolicyTests {
  @Test func `the last rule that names a path decides`() {
    let (options, errors) = options(
      """
      watch = /etc full
      ignore = /etc/mtab
      watch = /etc/mtab mode severity=high
      ignore = /etc/ssl
      """)
    #expect(errors.isEmpty)
    #expect(options.policy.watched(FilePath("/etc/passwd"))?.attributes == .full)
    #expect(options.policy.watched(FilePath("/etc/mtab"))?.attributes == .mode)
    #expect(options.policy.watched(FilePath("/etc/mtab"))?.severity == .high)
    #expect(options.policy.watched(FilePath("/etc/ssl/certs/x.pem")) == nil)
    #expect(options.policy.watched(FilePath("/etcetera")) == nil)
  }

  @Test(arguments: [
    ("/home/*/.ssh", "/home/alice/.ssh", true), ("/home/*/.ssh", "/home/alice/.ssh/id", true),
    ("/home/*/.ssh", "/home/.ssh", false), ("/home/*/.ssh", "/home/a/b/.ssh", false),
    ("/srv/**/*.conf", "/srv/a/b/c.conf", true), ("/srv/**/*.conf", "/srv/c.conf", true),
    ("/srv/**/*.conf", "/srv/c.conf.bak", false), ("/a/[!b-d]x", "/a/ex", true),
    ("/a/[!b-d]x", "/a/cx", false), ("/a/?", "/a/ab", false), ("/a/\\*", "/a/*", true),
    ("/a/\\*", "/a/b", false), ("/**", "/x/y", true), ("/", "/x", true),
    ("/a/**", "/a", true), ("/**/core", "/core", true),
  ])
  func `a pattern means what it names and all below`(
    pattern: String, path: String, isNamed: Bool
  ) throws {
    let relation = try PathPattern(word(pattern)).relation(to: FilePath(path).components)
    #expect((relation == .within || relation == .exactly) == isNamed)
  }

  @Test func `folders above what is watched are walked and not kept`() {
    let (options, _) = options("watch = /home/*/.ssh full")
    let decision = options.policy.decision(for: FilePath("/home/alice"))
    #expect(decision == Policy.Decision(rule: nil, leadsOn: true))
    #expect(options.policy.decision(for: FilePath("/homer")).leadsOn == false)
    #expect(options.policy.roots == [FilePath("/home")])
  }

  @Test func `watch_entry means a path and nothing below`() {
    let (options, _) = options("watch_entry = /var/log mode+user")
    #expect(options.policy.watched(FilePath("/var/log"))?.attributes == [.mode, .user])
    #expect(options.policy.watched(FilePath("/var/log/syslog")) == nil)
    #expect(options.policy.decision(for: FilePath("/var/log")).leadsOn == false)
  }

  @Test func `what is the same for a whole folder is decided once`() {
    let (options, _) = options("watch = /etc full\nignore = /etc/ssl/private")
    #expect(options.policy.sameForAll(in: FilePath("/etc/apt"))?.rule == 0)
    #expect(options.policy.sameForAll(in: FilePath("/etc/ssl")) == nil)
    #expect(options.policy.sameForAll(in: FilePath("/etc/ssl/private/x"))?.leadsOn == false)
  }

  @Test func `sameForAll agrees with the decision for every name`() {
    let (options, _) = options(
      """
      watch = /a full
      ignore = /a/*/c
      watch = /a/b/c/d mode
      watch_entry = /a/b content
      watch = /**/k size
      """)
    let names = ["a", "b", "c", "d", "k", "z"]
    var paths = [FilePath.root]
    for _ in 0..<4 {
      paths += paths.flatMap { path in names.map { path.appending(.init($0.utf8)) } }
    }
    for folder in Set(paths) {
      guard let same = options.policy.sameForAll(in: folder) else { continue }
      for name in names {
        #expect(options.policy.decision(for: folder.appending(.init(name.utf8))) == same)
      }
    }
  }

  @Test func `attributes are added and taken away, by our names and by AIDE's`() throws {
    #expect(try AttributeSet(word("p+u+g"), defined: [:]) == [.mode, .user, .group])
    let set = try AttributeSet(word("full-ctime+sha512"), defined: [:])
    #expect(set == AttributeSet.full.subtracting(.changed).union(.sha512))
    #expect(try AttributeSet(word("own+size"), defined: ["own": .mode]) == [.mode, .size])
  }

  @Test(arguments: [
    (
      "md5",
      "test.conf:1:1: error: 'md5' is no attribute here ('md5'); md5 proves nothing any more; write sha256"
    ),
    (
      "p+sha265",
      "test.conf:1:1: error: 'sha265' is no attribute ('p+sha265'); did you mean 'sha256'?"
    ),
    ("p++u", "test.conf:1:1: error: no attribute where one is expected ('p++u')"),
  ])
  func `an attribute that is none is refused with what to write`(text: String, error: String) {
    let found = Result { () throws(Diagnostic) in try AttributeSet(word(text), defined: [:]) }
    #expect(throws: Diagnostic.self) { try found.get() }
    if case .failure(let diagnostic) = found { #expect(diagnostic.description == error) }
  }

  @Test(arguments: ["etc", "/etc/../x", "/a/[b"])
  func `a path that cannot be one is refused`(text: String) {
    #expect(throws: Diagnostic.self) { try PathPattern(word(text)) }
  }
}

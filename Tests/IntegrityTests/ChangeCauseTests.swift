import Linux
import Testing

@testable import audispatch_integrity

/// Each attribute that differs needs a record of a call that can have changed it: whoever did something
/// else to the file has not.
@Suite("What explains a change")
struct ChangeCauseTests {
  /// `/watched/file` before, and changed at second 20.
  private func subject(
    before prepare: (inout FileState) -> Void = { _ in }, _ change: (inout FileState) -> Void
  ) -> Subject {
    var before = Recorded.state(inode: 60, changed: 1)
    before.flags = 0x8_0000
    prepare(&before)
    var after = before
    after.facts.changed = 1_000_000_020_000_000_000
    change(&after)
    return Recorded.subject(before, after)
  }

  private static let file = [Recorded.path("\"file\"", inode: 60, "NORMAL")]

  private func call(
    _ number: Int, second: Int = 20, serial: Int = 2, auid: String = "1000",
    _ fields: String = "a0=0 a1=0 a2=0 a3=0", paths: [String] = Self.file
  ) -> String {
    Recorded.call(number, fields, auid: auid, second: second, serial: serial, paths: paths)
  }

  /// By a descriptor: the record names no file.
  private func request(
    _ number: String, second: Int = 20, serial: Int = 3, auid: String = "1000"
  ) -> String {
    call(16, second: second, serial: serial, auid: auid, "a0=3 a1=\(number) a2=0 a3=0", paths: [])
  }

  /// Names of the file, as calls make and remove them.
  private func names(
    _ number: Int, serial: Int, _ names: (String, kind: String)...
  ) -> String {
    call(
      number, serial: serial,
      paths: [Recorded.path("\"/watched\"", inode: 50, "PARENT")]
        + names.map { Recorded.path("\"\($0.0)\"", inode: 60, $0.kind) })
  }

  private func logins(_ found: Attribution) -> [Login] { found.candidates.map(\.author.login) }

  @Test(arguments: [
    ("mode", 90, true), ("mode", 92, false), ("mode", 188, true), ("mode", 132, false),
    ("user", 92, true), ("user", 90, false), ("acl", 90, false), ("acl", 188, true),
    ("acl", 92, false), ("xattrs", 188, true), ("xattrs", 90, false), ("caps", 188, true),
    ("caps", 92, false), ("caps", 90, false), ("label", 188, true), ("label", 92, false),
    ("mtime", 132, true), ("mtime", 90, false), ("mtime", 76, true), ("size", 76, true),
    ("size", 132, false), ("flags", 90, false), ("verity", 90, false), ("links", 90, false),
    // Writing and a new owner take rights away.
    ("mode lost", 92, true), ("mode lost", 76, true), ("mode lost", 132, false),
    ("caps lost", 92, true), ("caps lost", 76, true), ("caps lost", 90, false),
    ("acl other", 90, true), ("acl other", 92, false),
  ])
  func `is a call that can have changed what differs`(what: String, call: Int, explains: Bool) {
    let number = call
    let subject = subject { state in
      switch what {
      case "mode lost": state.facts.mode = 0o4644
      case "caps lost": state.capabilities = [1]
      case "acl other": state.accessList = [1]
      default: break
      }
    } _: { state in
      switch what {
      case "mode lost": state.facts.mode = 0o644
      case "caps lost": state.capabilities = nil
      case "acl other": state.accessList = [2]
      case "mode": state.facts.mode = 0o600
      case "user": state.facts.user = 7
      case "acl": state.accessList = [1]
      case "xattrs": state.extended = [.init(name: Array("user.x".utf8), value: [1])]
      case "caps": state.capabilities = [1]
      case "label": state.label = [1]
      case "mtime": state.facts.modified += 1_000_000_000
      case "size": state.facts.size = 9
      case "flags": state.flags = 0x8_0010
      case "verity": state.verity = [1]
      default: state.facts.links = 2
      }
    }
    // Beside it something that explains itself, so that somebody is named in any case.
    var both = subject
    let change = subject.change
    var after = change.after!
    after.facts.group = 7
    both = Recorded.subject(change.before, after)
    let owner = self.call(92, serial: 2)
    let found = Recorded.attribution(of: both, owner, self.call(number, serial: 3))
    let alone = Recorded.attribution(of: subject, self.call(number, serial: 3))
    #expect((alone.confidence == .exact) == explains, "\(alone.reasons)")
    let isExplained = explains || ["user", "mode lost", "caps lost"].contains(what)
    #expect((found.confidence == .exact) == isExplained, "\(found.reasons)")
    if !isExplained {
      #expect(found.confidence == .candidate && logins(found) == [.user(1000)])
      // By a name of which no record tells it may have been written too.
      let other =
        "it has names that are not watched, or had some, and no record tells who uses them"
      let lack = "no record tells who changed its \(what.prefix { $0 != " " })"
      #expect(found.reasons == (what == "links" ? [other, lack] : [lack]))
    }
  }

  @Test func `is whoever set flags by a descriptor in the moment of the last change`() {
    let flagged = subject { $0.flags = 0x8_0010 }
    let found = Recorded.attribution(of: flagged, request("40086602"))
    #expect(found.confidence == .exact && logins(found) == [.user(1000)], "\(found.reasons)")
    // What was set before was followed by something, and so may have been another file's.
    let earlier = Recorded.attribution(of: flagged, request("40086602", second: 18))
    #expect(earlier.confidence == .candidate)
    #expect(earlier.reasons == ["a record names no file, and another one may be meant"])
    let later = Recorded.attribution(of: flagged, request("40086602", second: 21))
    #expect(later.confidence == .none)
    let two = Recorded.attribution(
      of: flagged, request("40086602"), request("401c5820", second: 15, serial: 2, auid: "1001"))
    #expect(two.confidence == .candidate && logins(two) == [.user(1001), .user(1000)])
    // Asking is not setting, and a digest is none of flags.
    #expect(Recorded.attribution(of: flagged, request("80086601")).confidence == .none)
  }

  @Test func `is nobody who set flags before the state was read that they differ from`() {
    var flagged = subject { $0.flags = 0x8_0010 }
    flagged.reading.since = 1_000_000_019_000
    let found = Recorded.attribution(
      of: flagged, request("40086602", second: 18, serial: 2, auid: "1001"), request("40086602"))
    #expect(found.confidence == .exact && logins(found) == [.user(1000)], "\(found.reasons)")
  }

  @Test func `is nobody who set flags of whatever file, where none differ`() {
    let found = Recorded.attribution(
      of: subject { $0.facts.mode = 0o600 }, call(90), request("40086602", auid: "1001"))
    #expect(found.confidence == .exact && logins(found) == [.user(1000)], "\(found.reasons)")
  }

  @Test func `is whoever had the file's digest kept`() {
    let sealed = subject {
      $0.verity = [1]
      $0.flags = 0x18_0000
    }
    let found = Recorded.attribution(of: sealed, request("40806685"))
    #expect(found.confidence == .exact, "\(found.reasons)")
    #expect(Recorded.attribution(of: sealed, request("40086602")).confidence == .none)
  }

  @Test func `is a call that names the file and its flags`() {
    let flagged = subject { $0.flags = 0x8_0010 }
    #expect(Recorded.attribution(of: flagged, call(469)).confidence == .exact)
  }

  @Test func `is the kernel's own work where a folder gets an index`() {
    let indexed = subject { $0.flags = 0x8_1000 }
    #expect(Recorded.attribution(of: indexed, call(76)).confidence == .exact)
  }

  @Test func `is as many names as there are more`() {
    let linked = subject { $0.facts.links = 2 }
    let link = names(86, serial: 3, ("file", "NORMAL"), ("/out/file", "CREATE"))
    #expect(Recorded.attribution(of: linked, link).confidence == .exact)
    let moved = names(82, serial: 3, ("file", "DELETE"), ("file", "CREATE"))
    let found = Recorded.attribution(of: linked, moved)
    #expect(found.confidence == .candidate)
    #expect(found.reasons == ["no record tells who changed its links"])
    let twice = subject { $0.facts.links = 3 }
    #expect(Recorded.attribution(of: twice, link).confidence == .candidate)
  }

  @Test func `is whoever put the file there, not who wrote it alone`() {
    let before = Recorded.state(inode: 60, changed: 1)
    let mounted = Recorded.subject(before, Recorded.state(inode: 61, changed: 20))
    let written = call(
      2, "a0=0 a1=1", paths: [Recorded.path("\"file\"", inode: 61, "NORMAL")])
    let found = Recorded.attribution(of: mounted, written)
    #expect(found.confidence == .candidate && found.reasons == ["no record tells who put it there"])
  }

  @Test func `is whoever may have set flags of a new file too`() {
    var made = Recorded.state(inode: 61, changed: 20)
    made.flags = 0x8_0010
    let create = call(
      2, serial: 2, "a0=0 a1=41",
      paths: [
        Recorded.path("\"/watched\"", inode: 50, "PARENT"),
        Recorded.path("\"file\"", inode: 61, "CREATE"),
      ])
    let flags = request("40086602", auid: "1001")
    let found = Recorded.attribution(of: Recorded.subject(nil, made), create, flags)
    #expect(found.confidence == .candidate && logins(found) == [.user(1000), .user(1001)])
    made.flags = 0x8_0000
    let plain = Recorded.attribution(of: Recorded.subject(nil, made), create, flags)
    #expect(plain.confidence == .exact && logins(plain) == [.user(1000)], "\(plain.reasons)")
  }
}

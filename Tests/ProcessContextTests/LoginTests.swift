import ProcessContext
import Testing

@Suite("Who logged in")
struct LoginTests {
  private static let login =
    "USER_LOGIN pid=50 uid=0 auid=1000 ses=4 msg='op=login acct=\"ann\" exe=\"/usr/sbin/sshd\" "
    + "hostname=gate addr=10.0.0.7 terminal=/dev/pts/1 res=success'"

  @Test func `is known of everything in the session`() {
    var tracked = Tracked()
    _ = tracked.note([
      "LOGIN pid=50 uid=0 old-auid=4294967295 auid=1000 old-ses=4294967295 ses=4 res=1"
    ])
    _ = tracked.note([Self.login])
    let context = tracked.call(257, 60, parent: 50, session: "4")
    #expect(text(context.login?.account) == "ann")
    #expect(text(context.login?.address) == "10.0.0.7")
    #expect(context.login?.user == 1000)
  }

  @Test func `is not who sudo makes of him`() {
    var tracked = Tracked()
    _ = tracked.note([Self.login])
    _ = tracked.note([
      "USER_START pid=70 uid=0 auid=1000 ses=4 msg='op=PAM:session_open acct=\"root\" "
        + "exe=\"/usr/bin/sudo\" hostname=? addr=? terminal=/dev/pts/1 res=success'"
    ])
    let context = tracked.call(257, 71, parent: 70, session: "4")
    #expect(text(context.login?.account) == "ann")
    #expect(text(context.login?.program) == "/usr/sbin/sshd")
  }

  @Test func `is nobody who was refused, or has no session`() {
    var tracked = Tracked()
    _ = tracked.note([Self.login.replacing("res=success", with: "res=failed")])
    #expect(tracked.call(257, 60, parent: 50, session: "4").login == nil)
    _ = tracked.note([Self.login.replacing("ses=4 ", with: "ses=4294967295 ")])
    #expect(tracked.call(257, 60, parent: 50, session: "4294967295").login == nil)
  }

  @Test func `is forgotten at last`() {
    var tracked = Tracked()
    for session in 1...5000 {
      _ = tracked.note([Self.login.replacing("ses=4 ", with: "ses=\(session) ")])
    }
    #expect(tracked.call(257, 60, parent: 50, session: "1").login == nil)
    #expect(tracked.call(257, 60, parent: 50, session: "5000").login != nil)
  }
}

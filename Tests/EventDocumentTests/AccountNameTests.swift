import EventDocument
import Synchronization
import Testing

/// Where documents have the names of users from.
@Suite("Names of users in documents")
struct AccountNameTests {
  @Test func `names of users are believed until they are forgotten`() {
    let isRenamed = Atomic(false)
    var options = ECSFormTests.options()
    options.accounts = AccountLookup(
      user: { _ in isRenamed.load(ordering: .relaxed) ? "new" : "old" }, group: { _ in nil },
      userNumber: { _ in nil })
    var writer = DocumentWriter(.ecs, options)
    let event = event(
      "type=SYSCALL \(ECSFormTests.stamp)arch=c000003e syscall=257 pid=11 auid=1000 uid=1000")
    #expect(writer.parsed(event)["user.name"] == "old")
    isRenamed.store(true, ordering: .relaxed)
    #expect(writer.parsed(event)["user.name"] == "old")
    writer.forgetAccounts()
    #expect(writer.parsed(event)["user.name"] == "new")
    #expect(writer.parsed(event)["related.user"] == "new")
  }

  @Test func `users of another node are not looked up here`() {
    var writer = DocumentWriter(.ecs, ECSFormTests.options())
    let line =
      "type=SYSCALL \(ECSFormTests.stamp)arch=c000003e syscall=90 success=yes exit=0 ppid=1 pid=11 "
      + "auid=1000 uid=0 gid=0 comm=\"chmod\" exe=\"/usr/bin/chmod\""
    let there = writer.parsed(event("node=there " + line))
    #expect(there["user.audit"] == "{id=1000}")
    #expect(there["user.group"] == "{id=0}")
    #expect(there["related.user"] == "")
    let enriched = writer.parsed(event("node=there " + line + "\u{1d}AUID=\"eve\" UID=\"root\""))
    #expect(enriched["user.audit"] == "{id=1000 name=eve}")
    #expect(writer.parsed(event("node=hereabouts " + line))["user.audit"] == "{id=1000}")
    for here in ["node=here " + line, "node=here.example.org " + line, line] {
      let document = writer.parsed(event(here))
      #expect(document["user.audit"] == "{id=1000 name=ann}")
      #expect(document["user.group"] == "{id=0 name=wheel}")
    }
  }
}

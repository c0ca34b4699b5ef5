import ProcessContext
import Testing

@Suite("Labels of processes")
struct LabelTests {
  private static func rules(_ change: (inout LabelRules) -> Void) -> Tracked {
    Tracked { settings in change(&settings.labels) }
  }

  private static func pattern(_ text: String) -> Pattern {
    guard let pattern = try? Pattern(text) else { preconditionFailure("no pattern: \(text)") }
    return pattern
  }

  private static let name = Array("shell".utf8)

  @Test func `come by the executable, and go with the next`() {
    var tracked = Self.rules {
      $0.add(Self.name, where: .executable, matches: Self.pattern("/bash$"))
    }
    tracked.processes.add(7, parent: 1, "x", "/usr/bin/bash")
    #expect(tracked.exec(7, parent: 1, "/usr/bin/bash").labels.map { text($0) } == ["shell"])
    #expect(tracked.exec(7, parent: 1, "/usr/bin/ls").labels.isEmpty)
  }

  @Test func `are passed on, and stay, where that is wanted`() {
    var tracked = Self.rules {
      $0.add(Self.name, where: .executable, matches: Self.pattern("/bash$"))
      $0.passOn(Self.name)
    }
    for pid in Int32(7)...9 { tracked.processes.add(pid, parent: pid - 1, "x", "/usr/bin/x") }
    tracked.processes.add(7, parent: 1, "x", "/usr/bin/bash")
    _ = tracked.exec(7, parent: 1, "/usr/bin/bash")
    #expect(tracked.exec(8, parent: 7, "/usr/bin/ls").labels.count == 1)
    #expect(tracked.exec(9, parent: 8, "/usr/bin/ls").labels.count == 1)
    // Nobody leaves it by executing something else.
    #expect(tracked.exec(7, parent: 1, "/usr/bin/ls").labels.count == 1)
  }

  @Test func `are taken away`() {
    var tracked = Self.rules {
      $0.add(Self.name, where: .executable, matches: Self.pattern("bash"))
      $0.passOn(Self.name)
      $0.add(Self.name, where: .executable, matches: Self.pattern("/cron$"), removes: true)
    }
    tracked.processes.add(7, parent: 1, "x", "/usr/bin/bash")
    tracked.processes.add(8, parent: 7, "x", "/usr/sbin/cron")
    _ = tracked.exec(7, parent: 1, "/usr/bin/bash")
    #expect(tracked.exec(8, parent: 7, "/usr/sbin/cron").labels.isEmpty)
  }

  @Test func `come by arguments and scripts`() {
    var tracked = Self.rules {
      $0.add(Array("secret".utf8), where: .arguments, matches: Self.pattern("-p \\S+$"))
      $0.add(Array("maint".utf8), where: .script, matches: Self.pattern("^/root/maint-.*[.]sh$"))
    }
    tracked.processes.add(7, parent: 1, "x", "/usr/bin/x")
    let context = tracked.exec(
      7, parent: 1, "/usr/bin/bash", ["/bin/bash", "./maint-1.sh", "-p", "x"],
      first: "./maint-1.sh",
      paths: 3)
    #expect(text(context.process?.script) == "/root/maint-1.sh")
    #expect(Set(context.labels.map { text($0) }) == ["secret", "maint"])
  }

  @Test func `come by the key of a rule, and stay for what follows`() {
    var tracked = Self.rules {
      $0.label(key: Array("mgmt".utf8))
      $0.passOn(Array("mgmt".utf8))
    }
    tracked.processes.add(7, parent: 1, "x", "/usr/bin/x")
    tracked.processes.add(8, parent: 7, "x", "/usr/bin/x")
    #expect(tracked.call(257, 7, parent: 1, key: "mgmt").labels.map { text($0) } == ["mgmt"])
    #expect(tracked.call(257, 7, parent: 1).labels.count == 1)
    #expect(tracked.exec(8, parent: 7, "/usr/bin/ls").labels.count == 1)
  }

  @Test func `do not come by a key that a change of the rules names`() {
    var tracked = Self.rules { $0.label(key: Array("mgmt".utf8)) }
    let change = ["CONFIG_CHANGE auid=0 op=add_rule key=\"mgmt\" list=4 res=1"]
    #expect(tracked.call(44, 7, parent: 1, more: change).labels.isEmpty)
    // Two keys of one rule stand in hexadecimal.
    let keys =
      "SYSCALL arch=c000003e syscall=257 success=yes exit=0 ppid=1 pid=7 comm=\"a\" exe=\"/a\" "
      + "key=6F746865720" + "16D676D74"
    #expect(tracked.note([keys]).labels.map { text($0) } == ["mgmt"])
  }

  @Test func `leave events out, while processes are followed`() {
    var tracked = Self.rules {
      $0.add(Self.name, where: .executable, matches: Self.pattern("/bash$"))
      $0.filter(label: Self.name)
      $0.filter(key: Array("noise".utf8))
    }
    tracked.processes.add(7, parent: 1, "x", "/usr/bin/bash")
    tracked.processes.add(8, parent: 7, "x", "/usr/bin/ls")
    #expect(tracked.exec(7, parent: 1, "/usr/bin/bash").isFiltered)
    let child = tracked.exec(8, parent: 7, "/usr/bin/ls")
    #expect(!child.isFiltered && child.parent?.exec != nil)
    #expect(tracked.call(257, 8, parent: 7, "ls", "/usr/bin/ls", key: "noise").isFiltered)
  }

  @Test func `can be asked for keys at all`() {
    var tracked = Self.rules { $0.filtersWithoutKey = true }
    #expect(tracked.call(257, 8, parent: 7).isFiltered)
    #expect(!tracked.call(257, 8, parent: 7, key: "k").isFiltered)
    #expect(!tracked.note(["USER_LOGIN pid=1 msg='res=success'"]).isFiltered)
  }
}

/// A record of its own event.
public func record(_ serial: Int, _ more: String = "") -> String {
  "type=USER msg=audit(1700000000.000:\(serial)): pid=1 n=\(serial)\(more)"
}

public func records(_ serials: ClosedRange<Int>, _ more: String = "") -> [String] {
  serials.map { record($0, more) }
}

/// The ids of those events, where the node is `host`.
public func ids(_ serials: ClosedRange<Int>) -> [String] {
  inOrder(serials).sorted()
}

/// The same, in the order of the events.
public func inOrder(_ serials: ClosedRange<Int>) -> [String] {
  serials.map { "host:1700000000.000:\($0)" }
}

/// The records of an event of another node: a file is opened, and the rule's key has all that names
/// of subjects and topics may not have.
public let openedFile = [
  #"node=web.example.org type=SYSCALL msg=audit(1700000000.123:5): arch=c000003e syscall=257 "#
    + #"success=yes exit=3 a0=0 a1=0 a2=0 a3=0 items=1 ppid=1 pid=2 auid=0 uid=0 gid=0 "#
    + #"euid=0 suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 tty=(none) ses=3 comm="cat" "#
    + #"exe="/usr/bin/cat" key="a.>.b""#,
  #"node=web.example.org type=PATH msg=audit(1700000000.123:5): item=0 name="/etc/x" "#
    + "inode=9 dev=08:01 mode=0100640 ouid=0 ogid=42 rdev=00:00 nametype=NORMAL",
  "node=web.example.org type=EOE msg=audit(1700000000.123:5): ",
]

/// Lines of a plugin's file as the options of its command line.
public func options(_ lines: [String]) -> [String] {
  lines.map { line in
    let parts = line.split(separator: "=", maxSplits: 1).map {
      String($0.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
    return "--\(parts[0].replacing("_", with: "-"))=\(parts[1])"
  }
}

/// The counters that a plugin logs at its end.
public func figure(_ name: String, in messages: String) -> Int? {
  messages.matches(of: #/([a-z_]+)[ =](\d+)/#).last { $0.1 == name }.flatMap { Int($0.2) }
}

/// Whether a text of lines has nothing that a terminal would obey.
public func isHarmless(_ text: String) -> Bool {
  text.unicodeScalars.allSatisfy { scalar in
    scalar == "\n"
      || scalar.value >= 0x20 && !(0x7f..<0xa0).contains(scalar.value)
        && !(0x202a...0x202e).contains(scalar.value)
  }
}

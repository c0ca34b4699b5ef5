import AuditRecord
import Foundation
import Testing

@testable import AudispatchPlugin
@testable import SyslogSending
@testable import audispatch_syslog

private let stamp = BodyCase.stamp
private let call = BodyCase.call
private func message(_ arguments: [String], _ lines: [String]) throws -> String {
  try BodyCase.message(arguments, lines)
}

@Suite("A CEF or LEEF body")
struct OverviewCaseTests {
  /// Records, and what the bodies have.
  static let cases: [(lines: [String], cef: [String], leef: [String])] = [
    (
      ["type=USER_CMD \(stamp) pid=9 auid=1000 msg='cwd=\"/r\" cmd=6C73202D6C exe=\"/s\" res=1'"],
      ["cs2Label=command cs2=ls -l ", "cs3Label=cwd cs3=/r "], ["command=ls -l", "cwd=/r"]
    ),
    (
      [
        "type=SYSCALL \(stamp) arch=c000003e syscall=43 \(call)",
        "type=SOCKADDR \(stamp) saddr=0200D431C00002070000000000000000",
      ], ["src=192.0.2.7 spt=54321 "], ["src=192.0.2.7", "srcPort=54321"]
    ),
    (
      [
        "type=SYSCALL \(stamp) arch=c000003e syscall=49 \(call)",
        "type=SOCKADDR \(stamp) saddr=0200D431C00002070000000000000000",
      ], ["flexString1Label=boundAddress flexString1=192.0.2.7:54321 "],
      ["boundAddress=192.0.2.7:54321"]
    ),
    (
      [
        "type=SYSCALL \(stamp) arch=40000003 syscall=102 \(call.replacing("a0=3", with: "a0=5"))",
        "type=SOCKADDR \(stamp) saddr=0200D431C00002070000000000000000",
      ], [], []
    ),
    (
      [
        "type=SYSCALL \(stamp) arch=c000003e syscall=42 \(call)",
        "type=SOCKADDR \(stamp) saddr=0A0001BB0000000020010DB800000000000000000000000100000000",
      ], ["c6a3Label=Destination IPv6 Address c6a3=2001:db8::1 dpt=443 "],
      ["dst=2001:db8::1", "dstPort=443"]
    ),
    (
      [
        "type=SYSCALL \(stamp) arch=c000003e syscall=42 \(call)",
        "type=SOCKADDR \(stamp) saddr=0A0000160000000000000000000000000000FFFFC0A8010500000000",
      ], ["dst=192.168.1.5 dpt=22 "], ["dst=192.168.1.5"]
    ),
    (
      [
        "type=SYSCALL \(stamp) arch=c000003e syscall=42 \(call)",
        "type=SOCKADDR \(stamp) saddr=0100006162",
      ], ["filePath=@ab "], ["resource=@ab"]
    ),
    (
      ["type=USER_AUTH \(stamp) uid=0 msg='op=x acct=\"b\" hostname=::7 addr=2001:db8::7 res=1'"],
      ["c6a2Label=Source IPv6 Address c6a2=2001:db8::7 ", "suser=root suid=0 duser=b "],
      ["src=2001:db8::7", "usrName=root", "accountName=b"]
    ),
    (
      ["type=USER_AUTH \(stamp) msg='op=x hostname=c.example addr=UNKNOWN res=failed'"],
      ["shost=c.example "], ["srcHost=c.example"]
    ),
    (
      ["type=ADD_USER \(stamp) uid=0 auid=1 msg='op=adding user id=4000003 res=success'"],
      ["suid=1 duid=4000003 "], ["accountId=4000003"]
    ),
    (
      ["type=ADD_GROUP \(stamp) uid=0 auid=1 msg='op=add grp=\"staff2\" id=4000003 res=success'"],
      ["cs5Label=group cs5=staff2 ", "cn2Label=gid cn2=4000003 "],
      ["groupName=staff2", "groupId=4000003"]
    ),
    (
      ["type=GRP_MGMT \(stamp) uid=0 auid=1 msg='op=m grp=\"wheel\" acct=\"mal\" res=success'"],
      ["duser=mal ", "cs5=wheel "], ["accountName=mal", "groupName=wheel"]
    ),
    (
      [
        "type=GRP_AUTH \(stamp) uid=4000002 auid=4000002 msg='op=authentication new-group=wheel"
          + " id=4000003 res=failed'"
      ], ["cs5Label=group cs5=wheel ", "duid=4000003 "], ["accountId=4000003", "groupName=wheel"]
    ),
    (
      ["type=CHGRP_ID \(stamp) uid=1 auid=1 msg='op=changing new_gid=4000004 id=4000003 res=1'"],
      ["cn2Label=gid cn2=4000004 ", "duid=4000003 "], ["accountId=4000003", "groupId=4000004"]
    ),
    (
      ["type=DEL_GROUP \(stamp) uid=0 auid=1 msg='op=deleting group acct=\"g\" res=success'"],
      ["cs5=g "], ["groupName=g"]
    ),
    (
      ["type=AVC \(stamp) avc:  denied  { read open } for  pid=1 comm=\"c\" name=\"n\""],
      [
        "act=denied outcome=failure ", "dpid=1 dproc=c filePath=n ",
        "cs5Label=decision cs5=denied cs6Label=permissions cs6=read,open ",
      ], ["decision=denied", "permissions=read,open", "resource=n"]
    ),
    (
      [
        "type=AVC \(stamp) apparmor=\"DENIED\" operation=\"open\" profile=\"/p\" name=2F6120622F "
          + "pid=1 comm=\"c\" requested_mask=\"rw\" denied_mask=\"w\""
      ], ["act=open outcome=failure ", "filePath=/a b/ ", "cs5=denied ", "cs6=w "],
      ["action=open", "resource=/a b/", "decision=denied"]
    ),
    (
      ["type=SECCOMP \(stamp) sig=31 arch=c000003e syscall=272 comm=\"x\" code=0x0"],
      ["act=unshare "], ["action=unshare"]
    ),
    (
      ["type=LOGIN \(stamp) pid=1 uid=0 old-auid=4294967295 auid=60000 ses=5 res=1"],
      ["suser=root suid=0 duid=60000 "], ["usrName=root", "uid=0", "accountId=60000"]
    ),
    (
      ["type=LOGIN \(stamp) pid=1 uid=0 old-auid=60001 auid=60000 ses=5 res=0"],
      ["suid=60001 duid=60000 "], ["auid=60001", "accountId=60000"]
    ),
    (
      [
        "type=RESP_ACCT_LOCK \(stamp) pid=1 uid=0 auid=4294967295 ses=4294967295 "
          + "msg='op=pam_faillock suid=60000 exe=\"/x\" res=success'"
      ], ["suser=root suid=0 duid=60000 "], ["accountId=60000"]
    ),
    (
      [
        "type=NETFILTER_PKT \(stamp) action=1 hook=1 saddr=192.0.2.7 daddr=2001:db8::1 proto=6 "
          + "sport=5 dport=80"
      ], ["src=192.0.2.7 spt=5 ", "c6a3=2001:db8::1 dpt=80 "],
      ["src=192.0.2.7", "srcPort=5", "dst=2001:db8::1", "dstPort=80"]
    ),
    (
      [
        "type=AVC \(stamp) apparmor=\"DENIED\" operation=\"signal\" profile=\"/p\" pid=1 "
          + "comm=\"c\" requested_mask=\"send\" denied_mask=\"send\" signal=term peer=\"/q\""
      ], ["act=signal outcome=failure ", "cs6=send "], ["action=signal"]
    ),
  ]

  @Test(arguments: cases.indices)
  func `says who did what to whom`(_ index: Int) throws {
    let (lines, cef, leef) = Self.cases[index]
    let ours = try message(["--body", "cef"], lines)
    for part in cef { #expect(ours.contains(" " + part), "\(part): \(ours)") }
    let theirs = try message(["--body", "leef"], lines).split(separator: "\t").map(String.init)
    for part in leef { #expect(theirs.contains(part), "\(part): \(theirs)") }
  }

  static let absent: [(Int, [String])] = [
    (1, [" dst=", " dpt="]), (2, [" dst=", " src="]), (3, [" dst="]), (4, [" dst="]),
    (7, [" src=", " shost="]), (8, [" src=", "c6a2"]), (9, [" duser="]),
    (10, [" duser=", " duid="]), (12, [" duser="]), (22, [" filePath="]),
  ]

  @Test(arguments: absent)
  func `says of nobody what is another's`(_ index: Int, _ names: [String]) throws {
    let body = try message(["--body", "cef"], Self.cases[index].lines)
    for name in names { #expect(!body.contains(name), "\(name): \(body)") }
  }

  @Test func `has a delimiter of LEEF that relays let through`() throws {
    let lines = ["type=PATH \(stamp) item=0 name=615E6209", "type=CWD \(stamp) cwd=\"/\""]
    let body = try message(["--body", "leef", "--leef-delimiter", "^"], lines)
    #expect(body.contains("|PATH|^|devTime=1700000000001^sev=3^"))
    #expect(body.contains(#"^resource=a\x5eb\x09^cwd=/^"#))
    #expect(body.utf8.allSatisfy { $0 >= 0x20 })
  }

  private static let numbers = [
    "rt", "externalId", "suid", "duid", "dpid", "spt", "dpt", "cn1", "cn2", "fileId", "devTime",
    "sev", "serial", "auid", "uid", "pid", "ses", "dstPort",
  ]

  /// A body's attributes, as a reader of CEF takes them; fails at an escape that is none.
  private func attributes(_ body: String) throws -> [(name: String, value: String)] {
    let bars = body.indices.filter { body[$0] == "|" }
    let extensionText = body[body.index(after: bars[6])...]
    var found: [(name: String, value: String)] = []
    for part in extensionText.split(separator: #/ (?=[A-Za-z0-9]+=)/#) {
      let equals = try #require(part.firstIndex(of: "="))
      let value = String(part[part.index(after: equals)...])
      #expect(value.wholeMatch(of: #/([^\\=]|\\[\\=nr])*/#) != nil, "\(part)")
      found.append((String(part[..<equals]), value))
    }
    return found
  }

  @Test(arguments: Array(stride(from: 480, through: 1200, by: 7)))
  func `is cut between attributes or in a value, never in an escape`(_ size: Int) throws {
    let odd = String(repeating: "5C3D2F", count: 60)
    let lines = [
      "type=SYSCALL \(stamp) arch=c000003e syscall=59 \(call.dropLast(10))key=\(odd)016B",
      "type=EXECVE \(stamp) argc=2 a0=\"x\" a1=\(odd)\(odd)",
      "type=CWD \(stamp) cwd=\(odd)",
      "type=PATH \(stamp) item=0 name=\(odd) inode=123456 mode=0100644",
    ]
    for body in ["cef", "leef"] {
      let text = try message(["--body", body, "--max-size", "\(size)"], lines)
      #expect(text.utf8.count <= size)
      let all =
        body == "cef"
        ? try attributes(text)
        : text.split(separator: "\t").dropFirst().map { part in
          let pair = part.split(separator: "=", maxSplits: 1).map(String.init)
          return (pair[0], pair.count > 1 ? pair[1] : "")
        }
      for (name, value) in all where Self.numbers.contains(name) {
        #expect(value.wholeMatch(of: #/\d+/#) != nil, "\(name)=\(value)")
      }
      #expect(all.contains { $0.name == "dpid" || $0.name == "pid" })
    }
  }

  @Test func `keeps to the lengths of CEF's dictionary`() throws {
    let long = String(repeating: "a", count: 5000)
    let lines = [
      "type=USER_CMD \(stamp) pid=1 msg='op=\(long) acct=\"\(long)\" cmd=\"\(long)\" res=1'"
    ]
    let body = try message(["--body", "cef"], lines)
    for (name, value) in try attributes(body) {
      let most = ["act": 63, "duser": 1023, "cs2": 4000, "msg": 1023][name] ?? 4000
      #expect(value.utf8.count <= most, "\(name)")
    }
  }
}

import EventDocument
import Testing

/// What documents show of socket addresses.
@Suite("Socket addresses in documents")
struct SocketFamiliesTests {
  /// A SOCKADDR's address and its fields.
  static let addresses: [(String, String)] = [
    ("0100", "{family=unix}"), ("01002F72756E2F7800AA", "{family=unix path=/run/x}"),
    ("0100006162", "{family=unix path=@ab}"),
    (
      "0A0000160000000120010DB800000000000000000000000103000000",
      "{addr=2001:db8::1 family=ipv6 flow=1 port=22 scope=3}"
    ),
    ("100000000700000001000000", "{family=netlink groups=1 port=7}"),
    (
      "1100080002000000010006060A0B0C0D0E0F0000",
      "{addr=0a:0b:0c:0d:0e:0f family=packet interface=2 protocol=2048}"
    ),
    ("28000000000400000200000000000000", "{addr=2 family=vsock port=1024}"),
    ("010000610062", "{family=unix path=@a@b saddr=010000610062}"),
    ("0300828484A240406E", "{addr=ABBQ-7 family=ax25}"),
    ("0900343536373800000000000000000000000000", "{addr=45678 family=x25}"),
    ("1A000100000000AA0A0B0C0D0E0F000000", "{addr=0a:0b:0c:0d:0e:0f family=llc sap=170}"),
    (
      "1E00020364000000070000000000000000000000".lowercased(),
      "{family=tipc instance=7 service=100}"
    ),
    ("1D0000000300000000000000", "{family=can interface=3}"),
    ("1F0001000000", "{channel=0 device=1 family=bluetooth}"),
    ("1F000102030405060500", "{addr=06:05:04:03:02:01 channel=5 family=bluetooth}"),
    ("1F0003000102030405060000", "{addr=06:05:04:03:02:01 family=bluetooth psm=3}"),
    (
      "210034120200100002001B597F000001000000000000000000000000",
      "{addr=127.0.0.1 family=rxrpc port=7001 service=4660}"
    ),
    ("2300010203", "{device=2 family=phonet object=1 resource=3}"),
    ("27000000010000000200000003000000", "{device=1 family=nfc protocol=3 target=2}"),
    ("2A000000010000000500000000000000".prefix(24).description, "{addr=1 family=qipcrtr port=5}"),
    ("2C0000000200000001000000", "{family=xdp interface=2 queue=1}"),
    ("2D000000010000000801000000", "{addr=8 family=mctp network=1 type=1}"),
    ("2D00", "{family=mctp saddr=2D00}"), ("FF00", "{family=255 saddr=FF00}"),
    ("0200", "{family=ipv4 saddr=0200}"), ("zz", "{saddr=zz}"),
  ]

  @Test(arguments: addresses)
  func `reads addresses of all families`(_ digits: String, _ expected: String) {
    var writer = DocumentWriter(.ecs, ECSFormTests.options())
    let lines = [ECSFormTests.call, "type=SOCKADDR \(ECSFormTests.stamp)saddr=\(digits)"]
    #expect(writer.parsed(event(lines))["auditd.data.socket"] == expected)
  }
}

import Testing

@testable import Linux

@Suite("What a service manager left in the environment")
struct ServiceEnvironmentTests {
  static let cases: [([String: String], @Sendable (inout ServiceEnvironment) -> Void)] = [
    ([:], { _ in }),
    (["NOTIFY_SOCKET": "/run/n"], { $0.notifySocket = "/run/n" }),
    (["NOTIFY_SOCKET": "@abstract"], { $0.notifySocket = "@abstract" }),
    (["NOTIFY_SOCKET": "vsock:2:1"], { _ in }), (["NOTIFY_SOCKET": ""], { _ in }),
    (["WATCHDOG_USEC": "30000000"], { $0.watchdog = .seconds(30) }),
    (["WATCHDOG_USEC": "1", "WATCHDOG_PID": "7"], { $0.watchdog = .microseconds(1) }),
    (["WATCHDOG_USEC": "1", "WATCHDOG_PID": "8"], { _ in }),
    (["WATCHDOG_USEC": "0"], { _ in }), (["WATCHDOG_USEC": "-1"], { _ in }),
    (["LISTEN_FDS": "1"], { _ in }), (["LISTEN_FDS": "1", "LISTEN_PID": "8"], { _ in }),
    (["LISTEN_FDS": "1", "LISTEN_PID": "7"], { $0.descriptorNames = [""] }),
    (
      ["LISTEN_FDS": "2", "LISTEN_PID": "7", "LISTEN_FDNAMES": "a:audit"],
      { $0.descriptorNames = ["a", "audit"] }
    ),
    (
      ["LISTEN_FDS": "3", "LISTEN_PID": "7", "LISTEN_FDNAMES": "a:"],
      { $0.descriptorNames = ["a", "", ""] }
    ),
    (["LISTEN_FDS": "-3", "LISTEN_PID": "7"], { _ in }),
    (["LISTEN_FDS": "99999999999", "LISTEN_PID": "7"], { _ in }),
  ]

  @Test(arguments: cases.indices)
  func `is what is meant for this process`(_ index: Int) {
    let (variables, change) = Self.cases[index]
    var expected = ServiceEnvironment(pid: 7) { _ in nil }
    change(&expected)
    #expect(ServiceEnvironment(pid: 7) { variables[$0] } == expected)
  }
}

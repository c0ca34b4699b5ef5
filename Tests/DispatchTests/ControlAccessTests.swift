import Linux
import Testing

@testable import AuditDispatch

@Suite("Access to the control socket")
struct ControlAccessTests {
  private static let other = Peer(pid: 1, user: 1000, group: 1000, supplementaryGroups: [4, 27])

  @Test(arguments: [
    (ControlAccess(user: 0), Peer(pid: 1, user: 0, group: 9), true),
    (ControlAccess(user: 999), Peer(pid: 1, user: 0, group: 9), true),
    (ControlAccess(user: 999), Peer(pid: 1, user: 999, group: 9), true),
    (ControlAccess(user: 999, group: 5), Peer(pid: 1, user: 999, group: 9), true),
    (ControlAccess(user: 0), other, false), (ControlAccess(user: 0, group: 4), other, true),
    (ControlAccess(user: 0, group: 1000), other, true),
    (ControlAccess(user: 0, group: 5), other, false),
    // A user's number is not a group's.
    (ControlAccess(user: 0, group: 1000), Peer(pid: 1, user: 1000, group: 1), false),
    (ControlAccess(user: 27), other, false),
  ])
  func `is root's, the daemon's own, and the group's`(
    _ access: ControlAccess, _ peer: Peer, _ isAdmitted: Bool
  ) {
    #expect(access.admits(peer) == isAdmitted)
  }
}

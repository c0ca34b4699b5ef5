import CAudispatch
import Glibc

/// Who is at the other end of a connected unix socket, as of when it connected.
public struct Peer: Equatable, Sendable {
  public var pid: Int32
  public var user: UInt32
  public var group: UInt32
  public var supplementaryGroups: [UInt32]

  public init(pid: Int32, user: UInt32, group: UInt32, supplementaryGroups: [UInt32] = []) {
    self.pid = pid
    self.user = user
    self.group = group
    self.supplementaryGroups = supplementaryGroups
  }

  /// The corresponding options are `SO_PEERCRED` and `SO_PEERGROUPS`.
  public init(of socket: Int32) throws(SystemError) {
    self.init(pid: 0, user: 0, group: 0)
    guard unsafe ad_peer(socket, &pid, &user, &group) == 0 else {
      throw SystemError("ask who is at", "the other end of a socket", .current)
    }
    // The most that the kernel allows a process is 65,536.
    for capacity in [64, 65_536] {
      var groups = [UInt32](repeating: 0, count: capacity)
      let count = unsafe ad_peer_groups(socket, &groups, Int32(capacity))
      if count >= 0 {
        supplementaryGroups = Array(groups[..<Int(count)])
        return
      }
      guard errno == ERANGE else { break }
    }
    throw SystemError("ask for the groups at", "the other end of a socket", .current)
  }
}

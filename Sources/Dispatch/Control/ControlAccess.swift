import Linux

/// Who may use the control socket: root, the daemon's own user, and the members of one group.
///
/// There is no lesser right: what the socket can do is to show everything, to read again what only
/// root can have written, and to end a suspension.
struct ControlAccess: Equatable {
  /// The daemon's uid.
  var user: UInt32
  var group: UInt32?

  /// The socket's permissions: the kernel refuses most of those who are refused.
  var mode: UInt32 { group == nil ? 0o600 : 0o660 }

  func admits(_ peer: Peer) -> Bool {
    if peer.user == 0 || peer.user == user { return true }
    guard let group else { return false }
    return peer.group == group || peer.supplementaryGroups.contains(group)
  }
}

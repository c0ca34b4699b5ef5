import RemoteProtocol

/// How much of which peer is read: neither it nor all together may have too much unanswered.
struct ReadingRoom {
  /// What each peer may.
  var limits = PeerState.Limits()
  var intake = RecordIntake()

  /// How many bytes may be read of a peer.
  ///
  /// - Parameter ready: how many peers have something in this turn. One that was just answered does
  ///   not count among those that wait, and is to have the same share as they.
  func bytes(of peer: PeerConnection, among peers: ConnectedPeers, ready: Int) -> Int {
    if peer.state.isEnding, !peer.hasFinished { return .max }
    guard takesMore(of: peer) else { return 0 }
    return intake.room(unanswered: peer.unanswered, peers: max(peers.waitingCount, ready))
  }

  /// A peer is not read, as there is no room.
  mutating func held(_ peer: PeerConnection) { if takesMore(of: peer) { intake.heldBack() } }

  /// Whether a peer may say more, as far as it is up to itself.
  private func takesMore(of peer: PeerConnection) -> Bool {
    !peer.hasFinished
      && peer.state.mayRead(unanswered: peer.unanswered, untaken: peer.untaken, limits)
  }
}

import CSecureChannel

/// TLS over a connected socket, by OpenSSL; never blocks.
@safe
final class TLSConnection {
  enum Outcome: Equatable {
    case bytes(Int)
    case wantsRead
    case wantsWrite
    case ended
  }

  private let channel: OpaquePointer
  /// Whose connection it is, where a peer began it; it has to outlive that.
  private let server: TLSServer?
  private var why = [CChar](repeating: 0, count: 256)

  init(_ socket: Int32, _ identity: TLSIdentity) throws(ChannelFailure) {
    let made: OpaquePointer?
    switch identity {
    case .certificates(let files):
      unsafe made = sc_new(
        socket, files.name, files.authorities, files.certificate, files.key, &why, why.count)
    case .sharedKey(let key):
      unsafe made = sc_new_shared(
        socket, key.identity, key.key, key.key.count, key.suites, key.groups, &why, why.count)
    }
    guard let made = unsafe made else { throw ChannelFailure(text(why)) }
    unsafe channel = made
    server = nil
    if case .certificates(let files) = identity, let revoked = files.revoked {
      guard unsafe sc_revoke(channel, revoked, &why, why.count) == 0 else {
        throw ChannelFailure(text(why))
      }
    }
  }

  /// Takes a peer's connection.
  init(_ socket: Int32, _ server: TLSServer) throws(ChannelFailure) {
    guard let made = unsafe sc_accept(server.server, socket, &why, why.count) else {
      throw ChannelFailure(text(why))
    }
    unsafe channel = made
    self.server = server
  }

  /// Who the peer is, as its key or certificate has it; empty before hands are shaken.
  var peerIdentity: String {
    var name = [CChar](repeating: 0, count: 256)
    unsafe sc_peer_identity(channel, &name, name.count)
    return text(name)
  }

  /// How long the peer's certificate still counts; `nil` when it showed none.
  var peerTimeLeft: Duration? {
    let seconds = unsafe sc_peer_seconds_left(channel)
    return seconds == .min ? nil : .seconds(seconds)
  }

  /// Why a peer that has shaken hands would not be let in by that server; `nil`: it would be.
  func objection(of other: TLSServer) -> String? {
    guard other !== server else { return nil }
    return unsafe sc_server_still_takes(other.server, channel, &why, why.count) ? nil : text(why)
  }

  deinit { unsafe sc_free(channel) }

  /// Whether hands are shaken.
  func handshake() throws(ChannelFailure) -> Outcome {
    try outcome(Int(unsafe sc_handshake(channel, &why, why.count)))
  }

  /// Whether the server is known to have judged our certificate, or has nothing to judge.
  var isJudged: Bool { unsafe sc_is_judged(channel) }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws(ChannelFailure) -> Outcome {
    guard let base = buffer.baseAddress else { return .bytes(0) }
    return try outcome(unsafe sc_read(channel, base, buffer.count, &why, why.count))
  }

  func write(_ bytes: UnsafeRawBufferPointer) throws(ChannelFailure) -> Outcome {
    guard let base = bytes.baseAddress else { return .bytes(0) }
    return try outcome(unsafe sc_write(channel, base, bytes.count, &why, why.count))
  }

  /// Bytes that went into the socket.
  var written: UInt64 { unsafe sc_written(channel) }

  func close() { unsafe sc_close(channel) }

  private func outcome(_ result: Int) throws(ChannelFailure) -> Outcome {
    if result >= 0 { return .bytes(result) }
    switch Int32(result) {
    case Int32(sc_wants_read): return .wantsRead
    case Int32(sc_wants_write): return .wantsWrite
    case Int32(sc_ended): return .ended
    default: throw ChannelFailure(text(why))
    }
  }
}

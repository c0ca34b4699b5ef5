import Linux
import SecureChannel

/// Who may connect over TLS, from one `apply` to the next.
final class SecureAccess {
  private var server: TLSServer?
  /// Those that are used, for when what is to come instead cannot be.
  private var certificates: TLSServer.Certificates?
  /// When to look again how long they count; since the system's start.
  private var nextLook: Duration?

  /// Uses what came. Where the certificates cannot be used those before go on, with the keys that came.
  func apply(_ settings: inout Settings, now: Duration) {
    nextLook = now
    guard settings.wantsTLS else {
      server = nil
      certificates = nil
      return
    }
    do throws(ChannelFailure) {
      let new = try settings.certificates()
      server = try settings.server(new)
      certificates = new
    } catch {
      goOn(&settings, error)
    }
  }

  /// What came cannot be used for that reason: its keys go on with the certificates of before.
  private func goOn(_ settings: inout Settings, _ reason: ChannelFailure) {
    do throws(ChannelFailure) {
      server = try settings.server(certificates)
      let what = certificates == nil ? "" : "; the certificates of before go on"
      settings.object("TLS: \(reason)\(what)")
    } catch {
      server = nil
      let second = "\(error)" == "\(reason)" ? "" : "; with the certificates of before: \(error)"
      settings.object("TLS: \(reason)\(second); nobody can connect over TLS")
    }
  }

  /// Takes a connection that a peer began into TLS.
  func secure(_ channel: ByteChannel) throws(ChannelFailure) {
    guard let server else { throw ChannelFailure("TLS is not set up") }
    try channel.secure(server)
  }

  /// Why a peer that has shaken hands is not to be here; `nil`: it may.
  func objection(to channel: ByteChannel) -> String? {
    guard channel.isSecure else { return nil }
    guard let server else { return "TLS is not set up any more" }
    if channel.peerIdentity.isEmpty { return "its certificate has no name" }
    return channel.objection(of: server)
  }

  // MARK: How long it counts

  /// Milliseconds until `look` may have something to say; -1: for ever.
  func timeout(now: Duration) -> Int32 {
    guard let nextLook else { return -1 }
    return Int32(clamping: max(nextLook - now, .zero).inNanoseconds / 1_000_000 + 1)
  }

  /// What is to be said now of what ends soon, or has.
  func look(now: Duration) -> [String] {
    guard let due = nextLook, now >= due else { return [] }
    let validities = server?.validities ?? []
    nextLook = validities.map(\.pause).min().map { now + $0 }
    return validities.compactMap(\.warning)
  }
}

import Configuration
import Linux

/// One address that peers connect to, and what came there.
final class RemotePlace {
  struct Figures {
    var records: UInt64 = 0
    var events: UInt64 = 0
    var bytes: UInt64 = 0
    var malformed: UInt64 = 0
    var duplicates: UInt64 = 0
    /// Records that claimed another host's node.
    var refused: UInt64 = 0
    /// Connections that were not taken.
    var turnedAway: UInt64 = 0

    /// What a successor goes on with.
    fileprivate var kept: [UInt64] {
      get { [records, events, bytes, malformed, duplicates, refused, turnedAway] }
      set {
        (records, events, bytes, malformed) = (newValue[0], newValue[1], newValue[2], newValue[3])
        (duplicates, refused, turnedAway) = (newValue[4], newValue[5], newValue[6])
      }
    }
  }

  let isSecure: Bool
  let kind: String
  /// As in the configuration; what its figures are kept by, too.
  let name: String
  private let place: HostAndPort
  private var socket: Descriptor?
  private(set) var figures = Figures()
  private var hasChanged = false
  /// The receiver that there is was given the socket.
  private(set) var isHeard = false
  private var isLeft = false

  /// `nil` for a source of this host.
  init?(_ source: SourceConfiguration) {
    guard let place = source.place else { return nil }
    isSecure = if case .tls = source { true } else { false }
    kind = isSecure ? "tls" : "tcp"
    name = "\(kind):\(place)"
    self.place = place
  }

  var socketNumber: Int32? { socket?.number }

  func count(_ change: (inout Figures) -> Void) {
    change(&figures)
    hasChanged = true
  }

  /// What was counted, if it has changed since this was asked for.
  func takeChanged() -> [UInt64]? {
    defer { hasChanged = false }
    return hasChanged ? figures.kept : nil
  }

  /// Goes on with what a predecessor counted.
  func goOn(_ kept: [UInt64]) { figures.kept = kept }

  /// - Returns: why it cannot be had.
  func listen(backlog: Int) -> String? {
    guard socket == nil else { return nil }
    isLeft = false
    do throws(InternetAddress.Failure) {
      let addresses = try InternetAddress.resolve(
        place.host, port: place.port ?? 60, numeric: true)
      guard let address = addresses.first else { return nil }
      do throws(Errno) {
        socket = try address.listen(backlog: backlog)
        return nil
      } catch { return error.description }
    } catch { return error.description }
  }

  func close() {
    socket = nil
    isHeard = false
  }

  /// Nobody could be let in there: before a reload it is not tried again.
  func leave() {
    close()
    isLeft = true
  }

  /// Its address could not be had yet.
  var isAwaited: Bool { socket == nil && !isLeft }

  func isGiven() { isHeard = true }
  /// The receiver is gone.
  func isUnheard() { isHeard = false }
}

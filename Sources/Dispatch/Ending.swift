import Linux

/// How far the end has come, known to all: whoever sees a reason to end asks for it here.
final class Ending {
  private var shutdown = Shutdown()
  private var reason: String?
  /// No plugin can ever be started.
  private(set) var isHopeless = false

  var isRunning: Bool { shutdown.isRunning }
  var isDone: Bool { shutdown.isDone }
  /// A replay could not give every plugin everything.
  var isIncomplete: Bool { shutdown.isIncomplete }
  var readsInput: Bool { shutdown.readsInput }
  var stopsPlugins: Bool { shutdown.stopsPlugins }
  var endsWhenDelivered: Bool { shutdown.endsWhenDelivered }
  var state: Shutdown.State { shutdown.state }

  func nextLook(_ now: Moment) -> Moment? { shutdown.nextLook(now) }

  /// Asks for the end; it begins in this turn of the loop.
  func ask(_ reason: String) { self.reason = self.reason ?? reason }

  /// Why the end was asked for since the last call.
  func takeRequest() -> String? { reason.take() }

  /// Something was lost that a replay promises not to lose.
  func noteLoss() { _ = shutdown.handle(.lost, now: .now) }

  /// A replay has no folder to start plugins with.
  func giveUpPlugins() {
    isHopeless = true
    noteLoss()
    ask("no runtime folder")
  }

  /// All files of a replay were read.
  func noteReplayRead() { _ = shutdown.handle(.replayRead, now: .now) }

  func handle(_ event: Shutdown.Event, now: Moment) -> Shutdown.Action {
    shutdown.handle(event, now: now)
  }
}

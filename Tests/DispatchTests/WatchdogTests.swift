import Linux
import Testing

@testable import AuditDispatch

@Suite("The watchdog")
struct WatchdogTests {
  private func at(_ seconds: Int64) -> Moment { Moment(nanoseconds: seconds * 1_000_000_000) }

  @Test func `is due twice in the time that it is waited for`() {
    var watchdog = Watchdog(limit: .seconds(30), now: at(100))
    #expect(watchdog.isDue(at(100)))
    _ = watchdog.look(at(101), inputWaits: false, bytesRead: 0)
    #expect(!watchdog.isDue(at(115)))
    #expect(watchdog.isDue(at(116)))
    #expect(watchdog.next == at(116))
  }

  /// Looks, each with whether input waits and what was read in all, and whether it is progress.
  static let lives: [[(waits: Bool, bytes: UInt64, isProgress: Bool)]] = [
    [(false, 0, true), (false, 0, true)],
    // Input at one look only: it came this moment.
    [(true, 0, true), (false, 0, true), (true, 0, true)],
    [(true, 0, true), (true, 5, true), (true, 9, true)],
    // It waited, and still does, and nothing was read.
    [(true, 5, true), (true, 5, false), (true, 5, false), (true, 6, true)],
    [(true, 5, true), (true, 5, false), (false, 5, true)],
  ]

  @Test(arguments: lives.indices)
  func `calls it progress when what waited was read from`(_ index: Int) {
    var watchdog = Watchdog(limit: .seconds(2), now: at(0))
    for (second, look) in Self.lives[index].enumerated() {
      let isProgress = watchdog.look(
        at(Int64(second)), inputWaits: look.waits, bytesRead: look.bytes)
      #expect(isProgress == look.isProgress, "look \(second)")
    }
  }
}

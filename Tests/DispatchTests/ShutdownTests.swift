import Linux
import Testing

@testable import AuditDispatch

@Suite("The dispatcher's end")
struct ShutdownTests {
  private static func at(_ seconds: Double) -> Moment {
    Moment(nanoseconds: Int64(seconds * 1e9))
  }

  /// How each state is come to, in their order.
  private static let ways: [(name: String, events: [Shutdown.Event])] = [
    ("running", []), ("readingRest", [.stop]), ("settling", [.stop, .inputIsEmpty]),
    ("stopping", [.stop, .inputIsEmpty, .pluginsAreSettled]),
    ("done", [.stop, .inputIsEmpty, .pluginsAreSettled, .pluginsHaveEnded]),
  ]

  private static let events: [Shutdown.Event] = [
    .stop, .replayRead, .lost, .inputIsEmpty, .pluginsAreSettled, .pluginsHaveEnded, .tick,
  ]

  /// Where an event leads, and what is to be done; in all other cases nothing happens.
  private static func expected(
    _ state: String, _ event: Shutdown.Event, _ second: Double
  ) -> (String, Shutdown.Action) {
    switch (state, event) {
    case ("running", .stop): ("readingRest", .readRest)
    case ("readingRest", .inputIsEmpty): ("settling", .closeInput)
    case ("readingRest", .tick) where second >= 1: ("settling", .closeInput)
    case ("settling", .pluginsAreSettled): ("stopping", .none)
    case ("settling", .tick) where second >= 20: ("stopping", .none)
    case ("stopping", .pluginsHaveEnded): ("done", .none)
    default: (state, .none)
    }
  }

  private static func name(_ state: Shutdown.State) -> String {
    switch state {
    case .running: "running"
    case .readingRest: "readingRest"
    case .settling: "settling"
    case .stopping: "stopping"
    case .done: "done"
    }
  }

  @Test func `takes every event in every state as the table says`() {
    for way in Self.ways {
      for event in Self.events {
        for second in [0, 0.999, 1, 19.999, 20, 60] {
          var shutdown = Shutdown()
          for event in way.events { _ = shutdown.handle(event, now: Self.at(0)) }
          #expect(Self.name(shutdown.state) == way.name)
          let action = shutdown.handle(event, now: Self.at(second))
          let (state, wanted) = Self.expected(way.name, event, second)
          #expect(Self.name(shutdown.state) == state, "\(event) when \(way.name) at \(second) s")
          #expect(action == wanted, "\(event) when \(way.name) at \(second) s")
        }
      }
    }
  }

  @Test func `ends with a loss whenever one was noted`() {
    for way in Self.ways {
      var shutdown = Shutdown()
      for event in way.events { _ = shutdown.handle(event, now: Self.at(0)) }
      #expect(!shutdown.isIncomplete)
      _ = shutdown.handle(.lost, now: Self.at(0))
      #expect(shutdown.isIncomplete)
    }
  }

  @Test func `reads the input until it is closed`() {
    let reading = Self.ways.map { way in
      var shutdown = Shutdown()
      for event in way.events { _ = shutdown.handle(event, now: Self.at(0)) }
      return shutdown.readsInput
    }
    #expect(reading == [true, true, false, false, false])
  }

  @Test func `looks again only while it waits for what wakes nobody`() {
    var shutdown = Shutdown()
    #expect(shutdown.nextLook(Self.at(0)) == nil)
    _ = shutdown.handle(.replayRead, now: Self.at(0))
    #expect(shutdown.endsWhenDelivered && shutdown.nextLook(Self.at(0)) == Self.at(0.002))
    _ = shutdown.handle(.stop, now: Self.at(0))
    #expect(!shutdown.endsWhenDelivered && shutdown.nextLook(Self.at(0)) == Self.at(0.001))
    _ = shutdown.handle(.inputIsEmpty, now: Self.at(0))
    #expect(shutdown.nextLook(Self.at(0)) == Self.at(0.02))
    _ = shutdown.handle(.pluginsAreSettled, now: Self.at(0))
    #expect(shutdown.nextLook(Self.at(0)) == nil)
  }
}

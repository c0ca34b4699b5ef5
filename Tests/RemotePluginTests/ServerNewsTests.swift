import Linux
import Testing

@testable import RemoteProtocol
@testable import audispatch_remote

@Suite("What is said of servers") struct ServerNewsTests {
  private func outlook(
    again: Int = 0, delay: Duration = .seconds(1), wasOfUse: Bool = false, isExhausted: Bool = false
  ) -> Sender.Outlook {
    .init(again: again, delay: delay, wasOfUse: wasOfUse, isExhausted: isExhausted)
  }

  private func expect(
    _ news: inout ServerNews, says texts: [String],
    _ location: SourceLocation = #_sourceLocation
  ) {
    let said = news.take().map(\.text)
    #expect(said == texts, sourceLocation: location)
  }

  @Test func `is the first server once, and another one, and one that is back`() {
    var news = ServerNews()
    news.heard("a", isFirst: true)
    news.heard("a", isFirst: true)
    expect(&news, says: ["sending to a"])
    news.connected()
    news.heard("a", isFirst: true)
    expect(&news, says: [])
    news.connected()
    news.heard("b", isFirst: false)
    expect(&news, says: ["sending to b"])
    news.lost("b", .closed, outlook(), tries: 3)
    _ = news.take()
    news.connected()
    news.heard("a", isFirst: true)
    expect(&news, says: ["sending to a"])
  }

  @Test func `is an outage once, and each of its reasons once, eight at most`() {
    var news = ServerNews()
    for _ in 0..<2 {
      for reason in 0..<12 { news.lost("a", .broken("\(reason)"), outlook(), tries: 100) }
    }
    let reports = news.take()
    #expect(reports.count(where: \.isOutage) == 1)
    #expect(reports.count == 1 + 8)
  }

  @Test func `is no end of a connection that was of use and had nothing on its way`() {
    var news = ServerNews()
    news.lost("a", .closed, outlook(delay: .zero, wasOfUse: true), tries: 3)
    expect(&news, says: [])
    news.lost("a", .closed, outlook(again: 2, delay: .zero, wasOfUse: true), tries: 3)
    expect(&news, says: ["a: \(Loss.closed); 2 records that it did not acknowledge are sent again"])
  }

  @Test func `names the occasion that an action may be set for`() {
    var news = ServerNews()
    news.lost("a", .refused(.diskFull, text: []), outlook(), tries: 1)
    news.lost("a", .unreachable("no route"), outlook(isExhausted: true), tries: 1)
    let occasions = news.take().map(\.occasion)
    #expect(occasions == [.diskFull, nil, .startupFailure, .networkFailure])
  }

  @Test func `is a server with little room once a minute`() {
    var news = ServerNews()
    for second in [0, 30, 59, 60, 61] { news.warns("a", .diskLow, .seconds(second)) }
    let occasions = news.take().map(\.occasion)
    #expect(occasions == [.diskLow, .diskLow])
  }
}

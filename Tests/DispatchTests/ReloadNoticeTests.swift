import Linux
import Testing

@testable import AuditDispatch

@Suite("Telling a plugin of a reload")
struct ReloadNoticeTests {
  private func at(_ seconds: Double) -> Moment { Moment(nanoseconds: Int64(seconds * 1e9)) }

  @Test func `a child that catches SIGHUP is told of a reload at once, and once`() {
    var notice = ReloadNotice()
    notice.launches()
    notice.started(at(1))
    let isTold = notice.reloaded(catches: true, at(1.1))
    let again = notice.isDue(at(9))
    #expect(isTold && !again)
    #expect(notice.deadline == nil)
  }

  @Test func `a child that has only begun is looked at once more`() {
    var notice = ReloadNotice()
    notice.launches()
    notice.started(at(1))
    let isTold = notice.reloaded(catches: false, at(1.1))
    let early = notice.isDue(at(1.9))
    #expect(!isTold && !early)
    #expect(notice.deadline == at(2))
    let late = notice.isDue(at(2.1))
    let again = notice.isDue(at(2.2))
    #expect(late && !again)
  }

  @Test func `a reload while a child is on its way holds for it, and for none after it`() {
    var notice = ReloadNotice()
    notice.launches()
    _ = notice.reloaded(catches: false, at(1))
    #expect(notice.deadline == nil)
    notice.started(at(5))
    #expect(notice.deadline == at(6))
    notice.ended()
    #expect(notice.deadline == nil)
    // The next one reads what is there when it starts.
    notice.launches()
    notice.started(at(7))
    #expect(notice.deadline == nil)
  }

  @Test func `a child that has run for long, or is gone, is not looked at again`() {
    var notice = ReloadNotice()
    _ = notice.reloaded(catches: false, at(1))
    #expect(notice == ReloadNotice())
    notice.launches()
    notice.started(at(1))
    _ = notice.reloaded(catches: false, at(2.5))
    #expect(notice.deadline == nil)
  }
}

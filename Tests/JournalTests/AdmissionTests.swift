import Testing

@testable import Journal

@Suite("Which events may enter")
struct AdmissionTests {
  private func event(_ number: UInt64) -> EventNumber { EventNumber(number) }

  private func make(_ whenFull: Subscription.WhenFull, next: EventNumber? = nil) -> Admission {
    Admission(.init(records: 2, bytes: 1000, whenFull: whenFull), next: next)
  }

  @Test func `none that had begun before the queue was there`() {
    let admission = make(.dropNewest, next: event(3))
    #expect(admission.known(event(2), .queueFull) == .notMeant)
    #expect(admission.known(event(3), .queueFull) == nil)
  }

  @Test func `drop_newest refuses what begins from the first refused event on`() {
    var admission = make(.dropNewest)
    let reason = admission.refuse(event(5), .spoolFull)
    #expect(reason == .spoolFull)
    #expect(admission.isOverflowing && !admission.isSuspended)
    #expect(admission.known(event(4), .queueFull) == nil)
    #expect(admission.known(event(5), .queueFull) == .dropped(.queueFull))
    admission.reopen(at: event(8), .queueFull)
    #expect(!admission.isOverflowing)
    // A record of a refused event may come late.
    #expect(admission.known(event(7), .queueFull) == .dropped(.queueFull))
    #expect(admission.known(event(8), .queueFull) == nil)
  }

  @Test func `suspend refuses until it is resumed, and not when there is room`() {
    var admission = make(.suspend)
    let reason = admission.refuse(event(5), .queueFull)
    #expect(reason == .suspended)
    admission.reopen(at: event(7), .queueFull)
    #expect(admission.isSuspended)
    admission.resume(at: event(9))
    #expect(admission.known(event(8), .queueFull) == .dropped(.suspended))
    #expect(admission.known(event(9), .queueFull) == nil)
  }

  @Test func `drop_oldest refuses one event, and admits the next`() {
    var admission = make(.dropOldest)
    let reason = admission.refuse(event(5), .queueFull)
    #expect(reason == .queueFull)
    #expect(!admission.isOverflowing)
    #expect(admission.known(event(5), .queueFull) == .dropped(.queueFull))
    #expect(admission.known(event(6), .queueFull) == nil)
  }

  @Test func `a begun event may exceed the bound by one MiB, and is dropped from there`() {
    var admission = make(.dropNewest)
    let exceeds = [1 << 20, 1].map { admission.mayExceed(event(1), $0) }
    #expect(exceeds == [true, false])
    #expect(admission.known(event(1), .queueFull) == .dropped(.queueFull))
    let before = admission.mayExceed(event(2), 1 << 20)
    admission.gotRoom()
    let behind = admission.mayExceed(event(2), 1 << 20)
    #expect(before && behind)
  }

  @Test func `what was refused is forgotten when no record of it can come`() {
    var admission = make(.dropNewest)
    _ = admission.refuse(event(5), .queueFull)
    admission.reopen(at: event(8), .queueFull)
    admission.exclude(event(9))
    #expect(admission.hasRefused)
    admission.forgetOldEvents(oldest: event(8)) { nil }
    #expect(admission.known(event(7), .queueFull) == nil)
    #expect(admission.known(event(9), .queueFull) == .dropped(.queueFull))
    // As long as one of it may lie in the queue, it is known.
    admission.forgetOldEvents(oldest: event(10_000)) { self.event(9) }
    #expect(admission.hasRefused)
    admission.forgetOldEvents(oldest: event(10_000)) { nil }
    #expect(!admission.hasRefused)
  }
}

import Testing

@testable import audispatch_kernel

@Suite("Which messages a full queue takes")
struct EventAdmissions {
  private static let bound = 10_000

  /// Whether a record of event `serial` is taken when the queue holds `queued` bytes.
  private func admits(
    _ admission: inout EventAdmission, _ serial: Int, size: Int = 100, queued: Int
  ) -> Bool {
    let text = Array("audit(1.000:\(serial)): x".utf8)
    return admission.admits(text.span, size: size, queued: queued)
  }

  @Test func `all, up to the bound`() {
    var admission = EventAdmission(bound: Self.bound)
    #expect(admits(&admission, 1, queued: 0))
    #expect(admits(&admission, 2, queued: Self.bound - 100))
    #expect(!admits(&admission, 3, queued: Self.bound - 99))
  }

  @Test func `the rest of a begun event, beyond the bound`() {
    var admission = EventAdmission(bound: Self.bound)
    _ = admits(&admission, 1, queued: Self.bound - 100)
    #expect(admits(&admission, 1, queued: Self.bound))
    #expect(admits(&admission, 1, queued: Self.bound + EventAdmission.reserve - 100))
  }

  @Test func `nothing more of an event that leads too far beyond the bound`() {
    var admission = EventAdmission(bound: Self.bound)
    _ = admits(&admission, 1, queued: Self.bound - 100)
    #expect(!admits(&admission, 1, queued: Self.bound + EventAdmission.reserve))
    #expect(!admits(&admission, 1, queued: 0))
  }

  @Test func `no new event before the queue is half empty`() {
    var admission = EventAdmission(bound: Self.bound)
    _ = admits(&admission, 1, queued: Self.bound)
    #expect(!admits(&admission, 2, queued: Self.bound / 2 + 1))
    #expect(admits(&admission, 3, queued: Self.bound / 2))
  }

  @Test func `nothing of an event whose beginning was refused`() {
    var admission = EventAdmission(bound: Self.bound)
    _ = admits(&admission, 1, queued: Self.bound)
    #expect(admits(&admission, 2, queued: 0))
    #expect(!admits(&admission, 1, queued: 0))
  }

  @Test func `each message without a stamp for itself`() {
    var admission = EventAdmission(bound: Self.bound)
    let text = Array("nothing".utf8)
    let taken = admission.admits(text.span, size: 10, queued: 0)
    let refused = admission.admits(text.span, size: 10, queued: Self.bound)
    #expect(taken && !refused)
  }
}

@Suite("The queue between the kernel and the enricher")
struct MessageQueues {
  private func text(_ serial: Int, _ length: Int = 0) -> [UInt8] {
    Array("audit(1.000:\(serial)): ".utf8) + [UInt8](repeating: 0x78, count: length)
  }

  @Test func `gives everything back in order, and then its end`() throws {
    let queue = try MessageQueue(bound: 1 << 20)
    let sent = (0..<2000).map { text($0, $0 % 300) }
    for (i, bytes) in sent.enumerated() {
      let taken = queue.put(type: UInt16(i), bytes.span)
      try #require(taken)
    }
    queue.close()
    var received: [[UInt8]] = []
    var types: [UInt32] = []
    while let batch = queue.take() {
      batch.forEach { type, text in
        types.append(type)
        received.append(text.indices.map { text[$0] })
      }
    }
    #expect(received == sent)
    #expect(types == (0..<2000).map { UInt32($0) })
  }

  @Test func `takes no more than its bound`() throws {
    let queue = try MessageQueue(bound: 1000)
    let size = text(100, 50).count + 8
    var taken = 0
    while queue.put(type: 1300, text(100 + taken, 50).span) { taken += 1 }
    #expect(taken == 1000 / size)
  }

  @Test func `takes nothing once it is closed`() throws {
    let queue = try MessageQueue(bound: 1000)
    queue.close()
    let taken = queue.put(type: 1300, text(1).span)
    #expect(!taken)
  }
}

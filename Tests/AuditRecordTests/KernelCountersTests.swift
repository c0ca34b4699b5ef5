import AuditRecord
import Testing

@Suite("The page of the kernel source's counters")
struct KernelCountersPage {
  @Test func `holds ten little-endian numbers, the layout's first`() {
    var counters = KernelCounters()
    counters.received = 0x0102
    counters.written = 7
    var expected = [UInt8](repeating: 0, count: 80)
    expected[0] = 2
    expected[8] = 2
    expected[9] = 1
    expected[48] = 255
    expected[56] = 7
    counters.firstSerial = 9
    counters.lastSerial = 0x0A0B
    expected[64] = 9
    expected[72] = 0x0B
    expected[73] = 0x0A
    #expect(counters.bytes == expected)
  }

  @Test func `reads what was written`() {
    var counters = KernelCounters()
    counters.received = 1
    counters.kernelLost = 2
    counters.receiveOverruns = 3
    counters.queueLost = 4
    counters.malformed = 5
    counters.kernelAudit = 2
    counters.written = UInt64.max
    counters.firstSerial = 6
    counters.lastSerial = 7
    let read = KernelCounters(counters.bytes.span)
    #expect(read == counters)
  }

  @Test func `is refused when it is short, empty or of another layout`() {
    let zeros = [UInt8](repeating: 0, count: 80)
    let short = [UInt8](KernelCounters().bytes.prefix(79))
    let read = [KernelCounters(zeros.span), KernelCounters(short.span)]
    #expect(read == [nil, nil])
  }
}

@Suite("What two readers of the kernel did not get")
struct EventsBetween {
  private func counters(_ serials: UInt64...) -> KernelCounters {
    var counters = KernelCounters()
    for serial in serials { counters.note(serial: serial) }
    return counters
  }

  @Test func `is at most what lies between their serials`() {
    let between = KernelCounters.eventsBetween(counters(5, 7, 6), counters(10, 9))
    #expect(between == 2)
  }

  @Test func `is nothing when one goes on where the other was`() {
    let between = [
      KernelCounters.eventsBetween(counters(7), counters(8)),
      KernelCounters.eventsBetween(counters(7), counters(7)),
      KernelCounters.eventsBetween(counters(7), counters(6)),
    ]
    #expect(between == [0, 0, 0])
  }

  @Test func `is counted over the end of the kernel's 32 bits`() {
    let between = KernelCounters.eventsBetween(counters(0xFFFF_FFFE), counters(3))
    #expect(between == 4)
  }

  @Test func `is not known when one got nothing`() {
    let between = [
      KernelCounters.eventsBetween(counters(), counters(8)),
      KernelCounters.eventsBetween(counters(8), counters()),
    ]
    #expect(between == [nil, nil])
  }
}

import AuditRecord
import Testing

@Suite("The page of the kernel source's counters")
struct KernelCountersPage {
  @Test func `holds eight little-endian numbers, the layout's first`() {
    var counters = KernelCounters()
    counters.received = 0x0102
    counters.written = 7
    var expected = [UInt8](repeating: 0, count: 64)
    expected[0] = 1
    expected[8] = 2
    expected[9] = 1
    expected[48] = 255
    expected[56] = 7
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
    let read = KernelCounters(counters.bytes.span)
    #expect(read == counters)
  }

  @Test func `is refused when it is short, empty or of another layout`() {
    let zeros = [UInt8](repeating: 0, count: 64)
    let short = [UInt8](KernelCounters().bytes.prefix(63))
    let read = [KernelCounters(zeros.span), KernelCounters(short.span)]
    #expect(read == [nil, nil])
  }
}

import AuditRecord
import Testing

@testable import audispatch_socket

@Suite("A binary record for a client")
struct BinaryRecordTests {
  @Test(arguments: [
    (0, true), (8970, true), (9000, true), (0, false), (8970, false), (9000, false),
  ])
  func `is no longer than readers take`(length: Int, fixed: Bool) {
    var bytes: [UInt8] = []
    let line = [UInt8](repeating: 0x78, count: length)
    BinaryRecord.append(line[...], .syscall, fixed: fixed, to: &bytes)
    let payload = min(length, 8970)
    #expect(bytes.count == 16 + (fixed ? 8970 : payload))
    #expect(Int(bytes[12]) + Int(bytes[13]) << 8 == payload)
    #expect(bytes[16..<16 + payload].allSatisfy { $0 == 0x78 })
  }
}

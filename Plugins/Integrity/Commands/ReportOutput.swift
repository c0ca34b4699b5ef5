import Linux

/// Lines on standard output, written in batches.
struct ReportOutput {
  private var buffer: [UInt8] = []

  mutating func line(_ text: String) throws {
    buffer += text.utf8
    buffer.append(0x0a)
    if buffer.count >= 64 << 10 { try flush() }
  }

  mutating func flush() throws {
    do throws(Errno) {
      try Transfer.writeAll(1, buffer)
    } catch { throw SystemError("write to", "standard output", error) }
    buffer.removeAll(keepingCapacity: true)
  }
}

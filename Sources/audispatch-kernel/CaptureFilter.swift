import AuditRecord
import Enrichment
import Glibc
import Linux

/// Reads a capture of the kernel's messages on standard input and writes the binary records.
///
/// Nothing is dropped: reading waits for the output. What is no message is counted, said, and passed.
enum CaptureFilter {
  static func run(_ options: Options, node: String?, _ page: borrowing CounterPage) -> Int32 {
    var formatter = RecordFormatter(content: options.content, node: node)
    var reader = NetlinkReader()
    var faults = FaultReport()
    var counters = KernelCounters()
    var output: [UInt8] = []
    var input = [UInt8](repeating: 0, count: 256 << 10)
    while true {
      let result = unsafe input.withUnsafeMutableBytes { unsafe Transfer.read(0, into: $0) }
      switch result {
      case .bytes(let count):
        reader.read(
          input.span.extracting(first: count),
          record: { type, text in
            counters.received += 1
            formatter.format(type: UInt32(type), text: text, into: &output)
          },
          malformed: { run in
            counters.malformed += 1
            faults.note(run, at: .now)
          })
      case .end:
        reader.finish(
          record: { type, text in
            counters.received += 1
            formatter.format(type: UInt32(type), text: text, into: &output)
          },
          malformed: { run in
            counters.malformed += 1
            faults.note(run, at: .now)
          })
      case .wouldBlock:
        _ = Poll.wait(0, for: .read, milliseconds: -1)
        continue
      case .failed(let reason):
        Report.say("error: cannot read standard input: \(reason)")
        return ExitStatus.failed
      }
      guard Output.write(&output) else { return ExitStatus.failed }
      counters.written = counters.received
      page.publish(counters)
      if result == .end {
        faults.conclude()
        return ExitStatus.done
      }
    }
  }
}

/// Says what of the input was no message: a sample at a steady low rate, and the sum at the end.
struct FaultReport {
  private var limit = RateLimit(every: .seconds(10))
  private var runs: [NetlinkReader.Fault: Int] = [:]
  private var bytes = 0

  mutating func note(_ run: NetlinkReader.Malformed, at now: Moment) {
    runs[run.fault, default: 0] += 1
    bytes += run.byteCount
    guard limit.pass(now) != nil else { return }
    Report.say(
      "warning: skipped \(run.byteCount) bytes that are no audit message (\(run.fault.rawValue)): "
        + printable(run.sample))
  }

  func conclude() {
    let total = runs.values.reduce(0, +)
    guard total > 0 else { return }
    let kinds = NetlinkReader.Fault.allCases.compactMap { fault in
      runs[fault].map { "\(fault.rawValue) \($0)" }
    }
    Report.say(
      "warning: skipped in all \(bytes) bytes in \(total) places: "
        + kinds.joined(separator: ", "))
  }
}

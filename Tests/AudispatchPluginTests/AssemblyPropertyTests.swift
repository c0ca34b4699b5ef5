import AuditRecord
import TestSupport
import Testing

@testable import AudispatchPlugin

@Suite("Assembly of records in any order")
struct AssemblyPropertyTests {
  /// Every record is in exactly one event, or a counted EOE; nothing is changed or invented.
  @Test(arguments: UInt64(1)...24)
  func `loses and repeats nothing`(_ seed: UInt64) {
    var random = Seeded(seed)
    var input = Corpus.lines
    // Repeats, and exchanges within a window that the seed chooses.
    for _ in 0..<Int.random(in: 0...200, using: &random) {
      let index = Int.random(in: input.indices, using: &random)
      input.insert(input[index], at: index)
    }
    let window = [1, 2, 5, 50, 2000].randomElement(using: &random) ?? 1
    for index in input.indices {
      let other = min(input.count - 1, index + Int.random(in: 0..<window, using: &random))
      input.swapAt(index, other)
    }
    var limits = EventAssembler.Limits()
    limits.events = Int.random(in: 1...64, using: &random)
    limits.bytes = Int.random(in: 1...200_000, using: &random)
    limits.eventBytes = Int.random(in: 1...20_000, using: &random)
    var assembler = EventAssembler(limits: limits)

    var left: [[UInt8]: Int] = [:]
    for line in input { left[line, default: 0] += 1 }
    var given = 0
    for event in assemble(input, &assembler) {
      #expect(!event.records.isEmpty)
      for record in event.records {
        left[Array(event.bytes[record.line]), default: 0] -= 1
        given += 1
      }
      let stamps = Set(event.records.map { stamp(event.bytes[$0.line]) })
      #expect(stamps.count == 1, "one event, one stamp")
    }
    #expect(given + assembler.strayEnds == input.count)
    #expect(assembler.records == input.count)
    let missing = left.filter { $0.value != 0 }
    #expect(missing.allSatisfy { $0.value > 0 && $0.key.starts(with: "type=EOE".utf8) })
    #expect(missing.values.reduce(0, +) == assembler.strayEnds)
    #expect(assembler.openEvents == 0)
  }

  private func stamp(_ line: ArraySlice<UInt8>) -> [UInt8] {
    Array(line.drop { $0 != UInt8(ascii: "(") }.prefix { $0 != UInt8(ascii: ")") })
  }

  @Test func `gives the corpus as its 567 events, each whole`() {
    let events = assemble(Corpus.lines)
    #expect(events.count == 567)
    #expect(events.allSatisfy { $0.ending == .end || $0.ending == .single })
    #expect(events.reduce(0) { $0 + $1.records.count } == Corpus.lines.count)
  }

  /// What a log holds: auditd writes no EOE into it.
  @Test func `gives the same events without EOE records`() {
    let isEnd = { (line: [UInt8]) in line.starts(with: "type=EOE".utf8) }
    let whole = assemble(Corpus.lines).map { event in
      event.records.map { Array(event.bytes[$0.line]) }.filter { !isEnd($0) }
    }
    let cut = assemble(Corpus.lines.filter { !isEnd($0) }).map { event in
      event.records.map { Array(event.bytes[$0.line]) }
    }
    #expect(Set(cut) == Set(whole))
    #expect(cut.count == whole.count)
  }

  @Test(arguments: UInt64(1)...8)
  func `does not depend on how the input was cut`(_ seed: UInt64) {
    var random = Seeded(seed)
    var stream = RecordStream()
    var found: [[UInt8]] = []
    var rest = Corpus.bytes[...]
    while !rest.isEmpty {
      let length = min(rest.count, Int.random(in: 1...40_000, using: &random))
      let taken = stream.fill(with: rest.prefix(length))
      rest = rest.dropFirst(taken)
      while stream.next(ended: false, { line, _, _ in found.append(line.array) }) {}
    }
    while stream.next(ended: true, { line, _, _ in found.append(line.array) }) {}
    #expect(found == Corpus.lines)
    #expect(stream.malformedTotal == 0)
  }

  @Test(arguments: UInt64(1)...16)
  func `survives any bytes`(_ seed: UInt64) {
    var random = Seeded(seed)
    var bytes = Array(Corpus.bytes.prefix(200_000))
    for _ in 0..<2000 {
      let index = Int.random(in: bytes.indices, using: &random)
      bytes[index] = UInt8.random(in: 0...255, using: &random)
    }
    var stream = RecordStream()
    var assembler = EventAssembler()
    var summary = EventSummary(zone: .utc)
    #expect(stream.fill(with: bytes) == bytes.count)
    var given = 0
    func take(_ event: AuditEvent) {
      given += event.records.count
      let line = summary.line(for: event)
      #expect(line.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7f })
    }
    while stream.next(
      ended: true, { assembler.append($0, $1, type: $2, at: .zero) })
    {
      while let event = assembler.next() { take(event) }
    }
    assembler.finish()
    while let event = assembler.next() { take(event) }
    #expect(given + assembler.strayEnds == stream.records)
    #expect(stream.records > 0)
  }
}

extension Span<UInt8> {
  var array: [UInt8] {
    var bytes: [UInt8] = []
    for at in indices { bytes.append(self[at]) }
    return bytes
  }
}

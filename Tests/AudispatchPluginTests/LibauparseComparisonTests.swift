import AuditRecord
import CAuparse
import Testing

@testable import AudispatchPlugin

@Suite("Events beside libauparse's")
struct LibauparseComparisonTests {
  /// The records of each event as `auparse_feed` gives them, without EOE: `serial TYPE TYPE …`.
  static func fed(_ lines: [[UInt8]]) -> [String] {
    LibauparseTurn.take(.nobody) { _ in
      final class Found { var events: [String] = [] }
      let found = Found()
      guard let parser = unsafe auparse_init(AUSOURCE_FEED, nil) else { return [] }
      unsafe auparse_add_callback(
        parser,
        { parser, _, context in
          guard let parser = unsafe parser, let context = unsafe context else { return }
          let found = unsafe Unmanaged<Found>.fromOpaque(context).takeUnretainedValue()
          var words = [unsafe "\(auparse_get_serial(parser))"]
          unsafe auparse_first_record(parser)
          repeat {
            let type = RecordType(rawValue: UInt32(unsafe auparse_get_type(parser)))
            if type != .endOfEvent { words.append(type.name) }
          } while unsafe auparse_next_record(parser) > 0
          found.events.append(words.joined(separator: " "))
        }, unsafe Unmanaged.passUnretained(found).toOpaque(), nil)
      for line in lines {
        let text = line + [0x0a]
        unsafe text.withUnsafeBytes { bytes in
          let start = unsafe bytes.baseAddress!.assumingMemoryBound(to: CChar.self)
          unsafe auparse_feed(parser, start, bytes.count)
        }
      }
      unsafe auparse_flush_feed(parser)
      unsafe auparse_destroy_ext(parser, AUPARSE_DESTROY_COMMON)
      return found.events
    }
  }

  static func assembled(_ lines: [[UInt8]]) -> [String] {
    assemble(lines).map { event in
      let types = event.records.filter { $0.type != .endOfEvent }.map(\.type.name)
      return (["\(event.stamp.serial)"] + types).joined(separator: " ")
    }
  }

  @Test func `are the same for the corpus`() {
    #expect(Self.assembled(Corpus.lines).sorted() == Self.fed(Corpus.lines).sorted())
  }

  /// Records of different events change places; those of one event keep their order.
  @Test(arguments: UInt64(1)...6)
  func `are the same for interleaved events`(_ seed: UInt64) {
    var random = Seeded(state: seed)
    var events = assemble(Corpus.lines).map { event in
      event.records.map { Array(event.bytes[$0.line]) }[...]
    }[...]
    var lines: [[UInt8]] = []
    // Always some four events at a time, each going on at random.
    var open: [ArraySlice<[UInt8]>] = []
    while !events.isEmpty || !open.isEmpty {
      if open.count < 4, let next = events.popFirst() { open.append(next) }
      let index = Int.random(in: open.indices, using: &random)
      if let line = open[index].popFirst() { lines.append(line) }
      if open[index].isEmpty { open.remove(at: index) }
    }
    #expect(Self.assembled(lines).sorted() == Self.fed(lines).sorted())
  }

  /// Where we differ, and are right: a LOGIN has its SYSCALL in the same event since Linux 5.
  @Test func `keep a LOGIN and its SYSCALL together`() {
    let input = lines("LOGIN 1,SYSCALL 1,PROCTITLE 1,EOE 1")
    #expect(Self.assembled(input) == ["1 LOGIN SYSCALL PROCTITLE"])
    #expect(Self.fed(input) != Self.assembled(input))
  }
}

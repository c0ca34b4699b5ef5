import AuditRecord
import CAuparse
import TestSupport
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
    var random = Seeded(seed)
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

  /// What may happen to records on the way, and whether libauparse then has more parts of events.
  static let changes: [(Set<GeneratedEvents.Change>, theirsAreParts: Bool)] = [
    ([], false), ([.interleaved], false), ([.cut, .interleaved], false),
    ([.missing, .interleaved], false), ([.endless, .interleaved], false),
    // libauparse ends an event with its PROCTITLE, whatever follows. Linux 6 sends it last but for
    // the EOE; but records change places on their way over several queues, and repeat.
    ([.shuffled, .interleaved], true), ([.repeated, .interleaved], true),
    // Behind the end both have parts; ours give each late record at once, libauparse waits for more.
    ([.late, .interleaved], true), (Set(GeneratedEvents.Change.allCases), true),
  ]

  /// 100,000 in all.
  @Test(arguments: changes.indices)
  func `are the same for generated events`(_ index: Int) {
    let (changes, theirsAreParts) = Self.changes[index]
    var generator = GeneratedEvents(seed: UInt64(index))
    let lines = generator.lines(100_000 / Self.changes.count + 1, changes)
    var (ours, theirs) = (Self.assembled(lines), Self.fed(lines))
    if theirsAreParts {
      #expect(theirs.count >= ours.count || changes.contains(.late))
      (ours, theirs) = (Self.joined(ours), Self.joined(theirs))
    }
    let difference = Set(ours).symmetricDifference(theirs).sorted().prefix(6)
    let areSame = ours.sorted() == theirs.sorted()
    #expect(areSame, "\(changes): \(difference)")
  }

  /// The records of all parts of each event. libauparse may give the later part first.
  private static func joined(_ events: [String]) -> [String] {
    var whole: [Substring: [Substring]] = [:]
    for event in events {
      let words = event.split(separator: " ")
      whole[words[0], default: []] += words.dropFirst()
    }
    return whole.filter { !$0.value.isEmpty }.map {
      "\($0.key) \($0.value.sorted().joined(separator: " "))"
    }
  }

  /// Where we differ, and are right: a LOGIN has its SYSCALL in the same event since Linux 5.
  @Test func `keep a LOGIN and its SYSCALL together`() {
    let input = lines("LOGIN 1,SYSCALL 1,PROCTITLE 1,EOE 1")
    #expect(Self.assembled(input) == ["1 LOGIN SYSCALL PROCTITLE"])
    #expect(Self.fed(input) != Self.assembled(input))
  }
}

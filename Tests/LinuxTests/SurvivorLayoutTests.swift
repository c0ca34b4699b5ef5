import CAudispatch
import Testing

/// A successor may be of another version of the program: it goes on only where the bytes mean the
/// same. What is compared is a number, so that the number has to change with their meaning.
@Suite("The layout of the memory that outlives a process")
struct SurvivorLayoutTests {
  /// In units of 64 bits, as every field is one or several.
  private func places<Root>(_ fields: [PartialKeyPath<Root>]) -> [Int] {
    fields.map { (MemoryLayout<Root>.offset(of: $0) ?? -8) / 8 }
  }

  @Test func `has the number of what lies where in it`() {
    let input = places([
      \ad_snapshot.settled, \.settled_sequence, \.taken, \.next_sequence, \.next_event, \.records,
      \.bytes, \.events, \.malformed, \.spool_shift, \.awaited_from, \.plugins, \.reader,
      \.taken_reader,
    ])
    let plugin = places([
      \ad_plugin_figures.received, \.delivered, \.redelivered, \.queued, \.queued_max, \.bytes,
      \.dropped_events, \.dropped, \.queued_bytes, \.undelivered, \.position, \.extra_end,
      \.delivered_at_start, \.confirmed_at_start, \.first_number, \.restarts, \.child, \.encoding,
      \.shift, \.announced, \.announced_written, \.awaits_past, \.pieces,
    ])
    let reader = places([\ad_reader.flags, \.padding, \.probe])
    let stream = places([\ad_stream_place.bytes, \.records, \.things, \.rest])

    // Whoever has to change one of these, or what one of them means, changes the number as well.
    #expect(input == [0, 1, 2, 3, 4, 5, 6, 7, 8, 16, 17, 18, 19, 22])
    #expect(
      plugin == [
        0, 1, 2, 3, 4, 5, 6, 7, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29,
      ])
    #expect(reader == [0, 1, 2] && stream == [0, 1, 2, 3])
    #expect(MemoryLayout<ad_plugin_figures>.size == 37 * 8)
    #expect(MemoryLayout<ad_snapshot>.size == 25 * 8)
    #expect(ad_survivor_layout() >> 48 == 5)
    // The size is the rest of the number.
    let size = Int(ad_survivor_layout() & (1 << 48 - 1))
    #expect((0..<4096).contains(ad_survivor_bytes() - size))
  }
}

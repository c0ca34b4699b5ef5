/// An event with less than all fields of all records, where even short values are too much.
///
/// The record of the system call, or else the first one, comes before all others: whoever adds
/// arguments or paths to what they do hides it otherwise. Its values stay long as long as there is
/// room. Of the others, those behind the last that fits are left out, and of the longest that are
/// left the last fields, so that what there is room for is used.
extension RecordsWriter {
  private static let tail = ",\"records\":[]}".utf8.count

  /// A record that is to be written, and the bytes that it may take.
  private struct Share {
    var index: Int
    var record: ShortRecord
    var room: Int
    var missing: Int { record.size - room }
  }

  mutating func cut(_ content: EventContent, to limit: Int) {
    writeShortHead(content, limit)
    let count = content.records.count
    let mark = ",\"cut_records\":\(count)".utf8.count
    let shares = Self.shares(content, limit - out.size - Self.tail - mark)
    if count > shares.count, out.size + Self.tail + mark <= limit {
      out.key("cut_records")
      out.integer(count - shares.count)
    }
    let main = Self.main(of: content)
    out.array("records")
    for share in shares {
      share.record.write(share.room, keepsTelling: share.index == main, to: &out)
    }
    out.endArray()
    out.endObject()
  }

  /// What names the event: with its node and keys if that leaves room for records, else without
  /// what is too much.
  private mutating func writeShortHead(_ content: EventContent, _ limit: Int) {
    var (node, keys) = (content.nodePlace, content.keyPlaces)
    var isContinuation = content.isContinuation
    for values in [512, 128, 32] {
      writeHead(content, node, keys, isContinuation, values)
      if out.size <= limit / 2 { return }
    }
    for step in 0..<5 {
      switch step {
      case 1: node = node.map { Self.prefix($0, 32, content.text) }
      case 2: node = nil
      case 3: keys = []
      case 4: isContinuation = false
      default: break
      }
      writeHead(content, node, keys, isContinuation, 32)
      if out.size + Self.tail + ShortRecord.shortest <= limit { return }
    }
  }

  private static func prefix(_ place: Text, _ limit: Int, _ text: EventText) -> Text {
    guard place.count > limit else { return place }
    let start = place.range.lowerBound
    let kept = DocumentBytes.whole(text.bytes.span.extracting(place.range), limit)
    return Text(start..<start + kept)
  }

  /// The records that are written, in their order, with commas between them in at most that room.
  private static func shares(_ content: EventContent, _ room: Int) -> [Share] {
    guard !content.records.isEmpty, room > 0 else { return [] }
    let main = main(of: content)
    let first = mainRecord(content, content.records[main], room)
    guard first.least <= room else { return [] }
    var shares = [Share(index: main, record: first, room: min(first.size, room))]
    var left = room - shares[0].room
    // What a long one has at least while shorter ones are left out.
    let modest = max(128, room / 16)
    for index in content.records.indices where index != main {
      guard left > ShortRecord.shortest else { break }
      let record = ShortRecord(
        content, content.records[index], valuesTo: room < 2048 ? 32 : 128, fields: left / 6 + 1)
      let wanted = max(record.least, min(record.size, modest)) + 1
      let isLast = wanted > left
      guard !isLast || record.least < left else { break }
      let granted = min(wanted, left) - 1
      shares.append(Share(index: index, record: record, room: granted))
      left -= granted + 1
      if isLast { break }
    }
    spread(left, over: &shares)
    return shares.sorted { $0.index < $1.index }
  }

  private static func mainRecord(
    _ content: EventContent, _ record: EventContent.Record, _ room: Int
  ) -> ShortRecord {
    let long = ShortRecord(content, record, valuesTo: 512)
    if long.size <= room / 2 { return long }
    let middle = ShortRecord(content, record, valuesTo: 128)
    return middle.size <= room ? middle : ShortRecord(content, record, valuesTo: 32)
  }

  /// Gives what is left to those that need it: all the same, but none more than it needs.
  private static func spread(_ room: Int, over shares: inout [Share]) {
    var left = room
    let needy = shares.indices.filter { shares[$0].missing > 0 }
      .sorted { shares[$0].missing < shares[$1].missing }
    for (place, index) in needy.enumerated() {
      let more = min(shares[index].missing, left / (needy.count - place))
      shares[index].room += more
      left -= more
    }
  }
}

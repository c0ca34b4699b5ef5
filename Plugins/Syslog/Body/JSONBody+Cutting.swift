/// A JSON body with less than all fields of all records, where even short values are too much.
///
/// The record of the system call, or else the first one, comes before all others: whoever adds
/// arguments or paths to what they do hides it otherwise. Its values stay long as long as there is
/// room. Of the others, those behind the last that fits are left out, and of the longest that are
/// left the last fields, so that what there is room for is used.
extension JSONBody {
  private static let tail = ",\"records\":[]}"

  /// A record that is to be written, and the bytes that it may take.
  private struct Share {
    var index: Int
    var record: JSONRecord
    var room: Int
    var missing: Int { record.size - room }
  }

  static func cut(_ content: EventContent, to limit: Int) -> [UInt8] {
    var text = shortHead(content, limit)
    let mark = ",\"cut_records\":\(content.records.count)"
    let shares = shares(content.records, limit - text.count - tail.utf8.count - mark.utf8.count)
    let cut = content.records.count - shares.count
    let saysCut = cut > 0 && text.count + tail.utf8.count + mark.utf8.count <= limit
    if saysCut { text += ",\"cut_records\":\(cut)".utf8 }
    text += ",\"records\":".utf8
    let main = main(of: content.records)
    list(shares, to: &text) { share, text in
      share.record.write(share.room, keepsTelling: share.index == main, to: &text)
    }
    text.append(UInt8(ascii: "}"))
    return text
  }

  /// What names the event: with its node and keys if that leaves room for records, else without
  /// what is too much.
  private static func shortHead(_ content: EventContent, _ limit: Int) -> [UInt8] {
    for values in [512, 128, 32] {
      let text = head(content, valuesTo: values)
      if text.count <= limit / 2 { return text }
    }
    var content = content
    let steps: [(inout EventContent) -> Void] = [
      { _ in }, { $0.node = $0.node.map { Array(MessageCut.prefix($0, 32)) } }, { $0.node = nil },
      { $0.keys = [] }, { $0.isContinuation = false },
    ]
    var text: [UInt8] = []
    for step in steps {
      step(&content)
      text = head(content, valuesTo: 32)
      if text.count + tail.utf8.count + JSONRecord.shortest <= limit { break }
    }
    return text
  }

  /// The record that says most.
  static func main(of records: [EventContent.Record]) -> Int {
    records.firstIndex { $0.type.elementsEqual("SYSCALL".utf8) } ?? 0
  }

  /// The records that are written, in their order, with commas between them in at most that room.
  private static func shares(_ records: [EventContent.Record], _ room: Int) -> [Share] {
    guard !records.isEmpty, room > 0 else { return [] }
    let main = main(of: records)
    let first = mainRecord(records[main], room)
    guard first.least <= room else { return [] }
    var shares = [Share(index: main, record: first, room: min(first.size, room))]
    var left = room - shares[0].room
    // What a long one has at least while shorter ones are left out.
    let modest = max(128, room / 16)
    for index in records.indices where index != main {
      guard left > JSONRecord.shortest else { break }
      let record = JSONRecord(
        records[index], valuesTo: room < 2048 ? 32 : 128, fields: left / 6 + 1)
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

  private static func mainRecord(_ record: EventContent.Record, _ room: Int) -> JSONRecord {
    let long = JSONRecord(record, valuesTo: 512)
    if long.size <= room / 2 { return long }
    let middle = JSONRecord(record, valuesTo: 128)
    return middle.size <= room ? middle : JSONRecord(record, valuesTo: 32)
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

import Linux

@testable import Journal

/// A folder in memory.
private struct MemoryDisk: SpoolDisk {
  var files: [String: [UInt8]] = [:]

  func names() throws(Errno) -> [String] { Array(files.keys) }
  mutating func create(_ name: String) throws(Errno) { files[name] = [] }
  mutating func append(_ name: String, _ bytes: [UInt8]) throws(Errno) { files[name]! += bytes }
  func sync(_ name: String) throws(Errno) {}
  func syncFolder() throws(Errno) {}
  func size(_ name: String) throws(Errno) -> Int { files[name]?.count ?? 0 }
  mutating func remove(_ name: String) throws(Errno) { files[name] = nil }

  func read(_ name: String, from: Int, count: Int) throws(Errno) -> [UInt8] {
    Array((files[name] ?? []).dropFirst(from).prefix(count))
  }
}

private let names = ["p", "q", ""]

/// Files made of the input's pieces: as they are, or as records whose checksums are right.
private func makeDisk(_ input: inout Input) -> MemoryDisk {
  var disk = MemoryDisk()
  var number = UInt64(input.choice(below: 20))
  var file: SpoolFile?
  for piece in input.pieces() {
    if file == nil || input.choice(below: 12) == 0 {
      file = SpoolFile(
        first: LogRecordNumber(odd(&input, number)), generation: UInt32(disk.files.count),
        salt: UInt32(input.choice(below: 3)))
      disk.files[file!.name] = []
    }
    guard let file else { continue }
    var bytes: [UInt8] = []
    let kinds: [SpoolRecord.Kind] = [.head, .data, .data, .data, .cursor, .cursor, .hole]
    switch input.choice(below: 10) {
    case 0: bytes = Array(piece)
    case 1..<4:
      let note = SpoolNote(
        odd(&input, number), odd(&input, number), odd(&input, number), names[input.choice(below: 3)]
      )
      note.append(
        to: &bytes, salt: file.salt, kind: input.choice(below: 2) == 0 ? .cursor : .hole,
        sequence: LogRecordNumber(odd(&input, number)),
        event: LogEventNumber(odd(&input, number)))
    default:
      unsafe Array(piece).withUnsafeBytes {
        unsafe SpoolRecord.append(
          to: &bytes, salt: file.salt, kind: kinds[input.choice(below: kinds.count)],
          sequence: LogRecordNumber(odd(&input, number)), event: LogEventNumber(number),
          type: UInt32(input.choice(below: 5)), text: $0)
      }
      number += 1
    }
    if input.choice(below: 16) == 0, !bytes.isEmpty {
      bytes[input.choice(below: bytes.count)] ^= 1 << UInt8(input.choice(below: 8))
    }
    if input.choice(below: 32) == 0 { bytes.removeLast(input.choice(below: bytes.count + 1)) }
    disk.files[file.name]! += bytes
  }
  return disk
}

/// Mostly the number itself, else one near it or at a border.
private func odd(_ input: inout Input, _ number: UInt64) -> UInt64 {
  switch input.choice(below: 24) {
  case 0: .max
  case 1: SpoolFile.numberLimit
  case 2: SpoolFile.numberLimit - 1
  case 3: 0
  case 4, 5: number &+ UInt64(input.choice(below: 9)) &- 4
  default: number
  }
}

/// Everything that can be read is in order, and reading comes to its end.
private func readAll(_ log: inout SpoolLog<MemoryDisk>) throws(Errno) -> [LogRecordNumber] {
  var found: [LogRecordNumber] = []
  var place: SpoolPlace?
  var at = log.files.first?.first ?? LogRecordNumber(0)
  var rounds = 0
  while at < log.nextSequence {
    let loaded = try log.load(from: at, bytes: 100, place: place)
    require(loaded.through > at, "reading does not get on at \(at)")
    for record in loaded.records {
      require(record.sequence >= at && record.sequence < loaded.through, "out of its range")
      require(found.last.map { $0 < record.sequence } ?? true, "out of order")
      found.append(record.sequence)
    }
    at = loaded.through
    place = loaded.place
    rounds += 1
    require(rounds < 100_000, "reading does not end")
  }
  return found
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzSpool(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  var input = unsafe Input(data, count)
  do {
    let disk = makeDisk(&input)
    var log = try SpoolLog(disk, salt: 7, fileSize: 2000)
    let before = try readAll(&log)
    let next = log.nextSequence
    guard next.value < SpoolFile.numberLimit / 2 else { return 0 }
    let cursors = log.cursors
    for (_, cursor) in cursors {
      let wanted = cursor.wanted(of: LogRecordNumber(0)..<next)
      require(wanted.allSatisfy { !$0.isEmpty && $0.lowerBound >= cursor.next }, "what is wanted")
      require(zip(wanted, wanted.dropFirst()).allSatisfy { $0.upperBound < $1.lowerBound }, "order")
    }
    for number in next..<next + 3 {
      var batch = SpoolBatch()
      batch.first = number
      batch.nextSequence = number + 1
      batch.nextEvent = LogEventNumber(number.value + 1)
      unsafe Array("text".utf8).withUnsafeBytes {
        unsafe SpoolRecord.append(
          to: &batch.bytes, salt: 7, kind: .data, sequence: number,
          event: LogEventNumber(number.value), text: $0)
      }
      try log.append(batch)
    }
    try log.sync()
    let again = try readAll(&log)
    require(again.suffix(3) == [next, next + 1, next + 2], "what was appended cannot be read")
    var opened = try SpoolLog(log.disk, salt: 8)
    require(opened.nextSequence == next + 3, "the next number is \(opened.nextSequence)")
    require(try readAll(&opened) == again, "the successor reads something else")
    for (name, cursor) in log.cursors {
      let end = next + 3
      require(
        opened.cursors[name]?.wanted(of: LogRecordNumber(0)..<end)
          == cursor.wanted(of: LogRecordNumber(0)..<end)
          || cursor.next < opened.files.first?.first ?? LogRecordNumber(0),
        "what is wanted: \(cursor), then \(opened.cursors[name] as Any); \(opened.files)")
    }
    // What no plugin wants may be removed, and nothing else.
    for number in before
    where log.cursors.values.contains(where: {
      !$0.wanted(of: number..<number + 1).isEmpty
    }) { require(again.contains(number), "record \(number) is gone") }
  } catch { fatalError("\(error)") }
  return 0
}

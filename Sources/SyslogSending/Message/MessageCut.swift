/// Cuts what is too long, and says so where it was cut.
package enum MessageCut {
  /// `…[+1234 bytes]`.
  package static func mark(_ missing: Int) -> [UInt8] { Array("…[+\(missing) bytes]".utf8) }

  /// Cuts text so that it has at most `limit` bytes with the mark, and never inside a character.
  ///
  /// A limit that does not even hold the mark leaves text of `limit` bytes without one.
  package static func cut(_ text: inout [UInt8], to limit: Int) {
    guard text.count > limit else { return }
    // The mark has most digits when most is missing.
    let room = limit - mark(text.count).count
    let end = boundary(text, max(0, room < 0 ? limit : room))
    let missing = text.count - end
    text.removeSubrange(end...)
    if room >= 0 { text += mark(missing) }
  }

  /// The value, cut if it has more than `limit` bytes.
  package static func cut(_ value: [UInt8], to limit: Int) -> [UInt8] {
    guard value.count > limit else { return value }
    let end = boundary(value, limit)
    return value[..<end] + mark(value.count - end)
  }

  /// At most the first so many bytes, and no part of a character.
  package static func prefix(_ value: [UInt8], _ limit: Int) -> ArraySlice<UInt8> {
    value.count > limit ? value[..<boundary(value, limit)] : value[...]
  }

  /// The last place at or before `end` that is not inside a UTF-8 sequence.
  private static func boundary(_ text: [UInt8], _ end: Int) -> Int {
    var place = end
    while place > max(0, end - 3), place < text.count, text[place] & 0xc0 == 0x80 { place -= 1 }
    return text.indices.contains(place) && text[place] & 0xc0 == 0x80 ? end : place
  }
}

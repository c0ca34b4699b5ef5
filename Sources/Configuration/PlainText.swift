/// Questions that the daemon asks of texts. Swift's own answers to them, `contains(_: String)`,
/// `replacing` and `trimmingPrefix`, would bring its regular expressions into the program: 1.5 MB.
extension StringProtocol {
  /// Whether `part` is in it, byte for byte. Nothing is in everything.
  public func holds(_ part: String) -> Bool {
    let bytes = Array(utf8)
    let wanted = Array(part.utf8)
    guard bytes.count >= wanted.count else { return false }
    return (0...bytes.count - wanted.count).contains { start in
      bytes[start..<start + wanted.count].elementsEqual(wanted)
    }
  }

  /// It as an option's name has it: `max_size` is `max-size`.
  var hyphenated: String { String(map { $0 == "_" ? "-" : $0 }) }
}

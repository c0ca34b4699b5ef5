import Configuration

/// Lines and columns of a text, which libyaml counts by characters and by lines of its own.
struct YAMLPlaces {
  /// Where lines begin, in bytes.
  private let lines: [Int]
  /// Where characters begin, in bytes; `nil`: each is a byte.
  private let characters: [Int]?
  private let count: Int

  /// - Parameter text: UTF-8.
  init(_ text: [UInt8]) {
    lines = [0] + text.indices.filter { text[$0] == 0x0a }.map { $0 + 1 }
    characters =
      text.allSatisfy { $0 < 0x80 } ? nil : text.indices.filter { text[$0] & 0xc0 != 0x80 }
    count = text.count
  }

  func position(ofCharacter index: Int) -> Diagnostic.Position {
    guard let characters else { return position(ofByte: index) }
    return position(ofByte: index < characters.count ? characters[index] : count)
  }

  func position(ofByte index: Int) -> Diagnostic.Position {
    let place = min(index, count)
    var (low, high) = (0, lines.count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if lines[middle] <= place { low = middle } else { high = middle }
    }
    return Diagnostic.Position(line: low + 1, column: place - lines[low] + 1)
  }
}

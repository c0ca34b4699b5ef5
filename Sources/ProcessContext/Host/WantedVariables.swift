import AuditRecord

/// The variables of an environment that were asked for.
struct WantedVariables: Sendable {
  private struct Name: Sendable {
    /// Without the `*`.
    var text: [UInt8]
    /// Whether it stands for all that begin so.
    var isBeginning: Bool
  }

  private let names: [Name]
  /// Which bytes such a variable may begin with: most begin with another one.
  private let firsts: [Bool]

  var isEmpty: Bool { names.isEmpty }

  init(_ names: [[UInt8]]) {
    self.names = names.map { name in
      let isBeginning = name.last == 0x2a
      return Name(text: isBeginning ? name.dropLast() : name, isBeginning: isBeginning)
    }
    var firsts = [Bool](repeating: false, count: 256)
    for name in self.names {
      if let first = name.text.first {
        firsts[Int(first)] = true
      } else if name.isBeginning {
        firsts = [Bool](repeating: true, count: 256)
      }
    }
    self.firsts = firsts
  }

  /// Those among all variables, each with a NUL behind it, in their order; at most so many.
  func found(
    in all: [UInt8], most: Int
  ) -> [(name: [UInt8], value: [UInt8])] {
    var found: [(name: [UInt8], value: [UInt8])] = []
    let span = all.span
    var start = 0
    while start < span.count, found.count < most {
      let end = span.firstZero(from: start) ?? span.count
      if firsts[Int(span[start])],
        let length = span.extracting(start..<end).firstIndex(of: 0x3d, from: 0),
        names.contains(where: { isName(start..<start + length, span, $0) })
      {
        let sign = start + length
        found.append((Array(all[start..<sign]), Array(all[(sign + 1)..<end])))
      }
      start = end + 1
    }
    return found
  }

  private func isName(_ place: Range<Int>, _ all: Span<UInt8>, _ wanted: Name) -> Bool {
    let count = wanted.text.count
    guard wanted.isBeginning ? place.count >= count : place.count == count else { return false }
    let text = wanted.text
    return all.extracting(place.prefix(count)).isSame(as: text.span)
  }
}

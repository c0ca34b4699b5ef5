import AuditRecord

/// What the last different texts of control groups said: most processes are in the groups of a few.
struct GroupMemory: Sendable {
  private static let most = 16
  private var known: [(text: [UInt8], groups: ControlGroups)] = []
  /// The place that is given away next.
  private var oldest = 0
  /// Where the last one was found.
  private var last = 0

  mutating func groups(_ text: [UInt8]) -> ControlGroups {
    if last < known.count, has(text, at: last) { return known[last].groups }
    for place in known.indices where has(text, at: place) {
      last = place
      return known[place].groups
    }
    let groups = ControlGroups(text)
    if known.count < Self.most {
      last = known.count
      known.append((text, groups))
    } else {
      last = oldest
      known[oldest] = (text, groups)
      oldest = (oldest + 1) % Self.most
    }
    return groups
  }

  private func has(_ text: [UInt8], at place: Int) -> Bool {
    let other = known[place].text
    return text.span.isSame(as: other.span)
  }
}

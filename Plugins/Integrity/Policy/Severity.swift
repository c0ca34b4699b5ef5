/// How much a change matters.
enum Severity: String, CaseIterable, Comparable, Sendable {
  case low, medium, high, critical

  private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }

  /// From 0 to 99, as Elastic's own rules have it.
  var score: Int {
    switch self {
    case .low: 21
    case .medium: 47
    case .high: 73
    case .critical: 99
    }
  }

  static func < (a: Self, b: Self) -> Bool { a.rank < b.rank }
}

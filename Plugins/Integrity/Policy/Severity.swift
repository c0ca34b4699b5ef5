/// How much a change matters.
enum Severity: String, CaseIterable, Comparable, Sendable {
  case low, medium, high, critical

  private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }

  static func < (a: Self, b: Self) -> Bool { a.rank < b.rank }
}

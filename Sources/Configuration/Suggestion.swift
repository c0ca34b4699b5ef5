/// Finds what someone probably meant to write.
public enum Suggestion {
  /// "did you mean 'X'?" for the nearest of the known words, nil when none is near.
  public static func near(_ word: String, among known: [String]) -> String? {
    nearest(word, among: known).map { "did you mean '\($0)'?" }
  }

  /// The known word with the fewest edits, or the one that begins with what was written; the first
  /// among equals.
  ///
  /// - Parameter share: one edit is allowed for so many of the longer word's bytes, and one in any
  ///   case. Among hundreds of names something is always near: there it is `manyNames`, and words of
  ///   three bytes have to be right.
  public static func nearest(
    _ word: String, among known: [String], share: Int = 3
  ) -> String? {
    let wanted = Array(word.lowercased().utf8.prefix(64))
    var best: (word: String, edits: Int)?
    for candidate in known {
      let edits = edits(from: wanted, to: Array(candidate.lowercased().utf8))
      let longer = max(wanted.count, candidate.utf8.count)
      let allowed = max(longer / share, share < Self.manyNames || longer > 3 ? 1 : 0)
      if edits <= allowed, edits < (best?.edits ?? .max) { best = (candidate, edits) }
    }
    if let best { return best.word }
    let longer = known.filter { wanted.count > 1 && $0.lowercased().utf8.starts(with: wanted) }
    return longer.count == 1 ? longer[0] : nil
  }

  /// For names that others chose, as in a folder of programs.
  public static let manyNames = 6

  /// Insertions, deletions, replacements and swaps of neighbours from one word to the other.
  /// Complexity: O(n · m).
  static func edits(from a: [UInt8], to b: [UInt8]) -> Int {
    if a.isEmpty || b.isEmpty { return a.count + b.count }
    var beforeLast: [Int] = []
    var last = Array(0...b.count)
    for i in 1...a.count {
      var current = [i] + [Int](repeating: 0, count: b.count)
      for j in 1...b.count {
        let replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)
        current[j] = min(last[j] + 1, current[j - 1] + 1, replaced)
        if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
          current[j] = min(current[j], beforeLast[j - 2] + 1)
        }
      }
      (beforeLast, last) = (last, current)
    }
    return last[b.count]
  }
}

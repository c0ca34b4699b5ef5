import Linux

/// What those deeds that can have made a change explain of it: a mode that differs is no explanation of
/// flags that differ too.
struct Explanation {
  /// What was done to the file itself by records that name it, and by such that name none.
  private var effects: CallEffect = []
  private var unnamed: CallEffect = []
  /// Whether one of those that name none was in the moment of the last change.
  private var isLast = false
  /// Whether something was done to the name.
  private var hasName = false
  /// By how many the file's names have grown.
  private var names = 0

  mutating func takeUnnamed(_ deed: Deed, until: Int64) {
    unnamed.formUnion(deed.effect)
    if deed.time >= until - StreamGaps.longestCall { isLast = true }
  }

  /// - Parameter items: those of its items that have to do with the change.
  mutating func take(_ deed: Deed, _ items: [Deed.Item], about subject: Subject) {
    effects.formUnion(items.allSatisfy { $0.role == .folder } ? .names : deed.effect)
    for item in items {
      if item.role == .created || item.role == .deleted || item.identity == nil { hasName = true }
      guard item.identity != nil, item.identity == subject.after else { continue }
      names += item.role == .created ? 1 : item.role == .deleted ? -1 : 0
    }
  }

  /// What is left unexplained, as sentences.
  func lacks(_ causes: ChangeCauses, for subject: Subject) -> [String] {
    guard subject.isSameFile else {
      if hasName { return [] }
      return ["no record tells who \(subject.change.after == nil ? "removed it" : "put it there")"]
    }
    var lacking = causes.unexplained(by: effects.union(unnamed))
    // Of a folder it is the folders in it that count.
    if causes.attributes[.links] != nil, subject.change.after?.type != .dir,
      names != subject.addedLinks
    {
      lacking.insert(.links)
    }
    var reasons: [String] = []
    if !lacking.isEmpty { reasons.append("\(Self.lack) changed its \(lacking.text)") }
    if !isLast, !causes.unexplained(by: effects).subtracting(lacking).isEmpty {
      reasons.append("a record names no file, and another one may be meant")
    }
    return reasons
  }

  /// How it is said where no record explains an attribute.
  static let lack = "no record tells who"
}

extension Subject {
  /// How many names more the file has than before.
  fileprivate var addedLinks: Int {
    Int(clamping: change.after?.facts.links ?? 0) - Int(clamping: change.before?.facts.links ?? 0)
  }
}

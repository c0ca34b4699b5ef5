/// A change with everything that is said beside it.
struct ChangeReport: Sendable {
  var change: StateChange
  var attribution: Attribution?
  var circumstances: Circumstances?
  /// What its package has to do with it.
  var note: PackageNote?
  /// The rule of the configuration by which it counts.
  var rule: String?
  /// The maintenance window in which it was made.
  var window: MaintenanceWindow?
  /// What was asked to find who made it.
  var subject: Subject?
  /// It was told before, as somebody's alone: a record has come late, or is missing.
  var isAmended = false
  /// It was told as a record of the kernel's audit too.
  var hasRecord = false

  /// When it was made, in milliseconds since 1970; `nil`: nobody knows.
  ///
  /// By the deed, unless that only opened the file: who has it open may write later, of which no record
  /// tells. Else by the file's own time, which any later change of its attributes sets anew.
  var time: Int64? {
    let last = attribution?.candidates.compactMap(\.deeds.last).max { $0.time < $1.time }
    if let last, !last.effect.contains(.opening) { return last.time }
    return change.after?.facts.changedAt ?? last?.time
  }
  var management: Management { Management(attribution, circumstances?.witnesses ?? []) }
}

/// All that a package manager changed in one go, as one event.
struct PackageUpdate: Sendable {
  /// More of them are told one by one.
  static let mostByScripts = 1000
  var steps: [PackageStep]
  /// Files that are equal to the sums of their packages.
  var packaged = 0
  /// Folders and links of the packages.
  var listed = 0
  var removed = 0
  /// What dpkg's scripts changed, and no package has.
  var byScripts: [StateChange] = []
  /// Whoever ran it, by all changes together; `nil` where nobody was asked.
  var attribution: Attribution?
  /// The processes of dpkg that were seen.
  var seen = SeenManagers()
  /// The maintenance window in which it was made.
  var window: MaintenanceWindow?

  init(_ steps: [PackageStep]) { self.steps = steps }

  var isEmpty: Bool { packaged + listed + removed + byScripts.count == 0 }

  /// What was explained has little weight of its own; what a script did has what it has.
  var severity: Severity { byScripts.map(\.severity).max() ?? .low }

  /// Takes a change in, unless it stands out: then it comes back, with what is said of it.
  mutating func take(_ report: ChangeReport, _ verdict: Verdict) -> ChangeReport? {
    switch verdict {
    case .packaged: packaged += 1
    case .listed: listed += 1
    case .removed: removed += 1
    case .byScript where byScripts.count < Self.mostByScripts: byScripts.append(report.change)
    case .byScript: return report
    case .apart(let package, let reason):
      guard let package, let reason else { return report }
      var report = report
      report.note = PackageNote(
        package: package,
        version: steps.first { $0.name == package }.flatMap { ($0.after ?? $0.before)?.version },
        reason: reason)
      return report
    }
    if let other = report.attribution {
      if attribution == nil { attribution = other } else { attribution?.join(other) }
    }
    for witness in report.circumstances?.witnesses ?? [] { seen.note(witness) }
    return nil
  }
}

/// The processes of a package manager that were seen at its database or at what it changed.
struct SeenManagers: Sendable {
  /// So many are named; others are counted.
  static let most = 64

  private(set) var named: Set<Witness> = []
  /// The process ids of the others.
  private(set) var others: Set<UInt32> = []

  /// Takes one in, if it is one.
  mutating func note(_ witness: Witness) {
    guard witness.manager != nil, !named.contains(witness) else { return }
    if named.count < Self.most {
      named.insert(witness)
    } else {
      others.insert(witness.pid)
    }
  }

  mutating func join(_ other: Self) {
    for witness in other.named { note(witness) }
    others.formUnion(other.others.subtracting(named.map(\.pid)))
  }
}

extension Attribution {
  /// Deeds that are kept of each author of many changes.
  private static let mostDeeds = 1000

  /// Takes in who made another change of the same go. It is exact only if all are, by one author.
  mutating func join(_ other: Attribution) {
    for candidate in other.candidates {
      guard let index = candidates.firstIndex(where: { $0.author == candidate.author }) else {
        candidates.append(candidate)
        continue
      }
      for deed in candidate.deeds
      where candidates[index].deeds.count < Self.mostDeeds
        && !candidates[index].deeds.contains(where: { $0.stamp == deed.stamp })
      {
        candidates[index].deeds.append(deed)
      }
    }
    for reason in other.reasons where !reasons.contains(reason) && reasons.count < 8 {
      reasons.append(reason)
    }
    let several = "several can have done it"
    if candidates.count > 1, !reasons.contains(several) { reasons.append(several) }
    confidence =
      candidates.isEmpty
      ? .none
      : confidence == .exact && other.confidence == .exact && candidates.count == 1
        ? .exact : .candidate
  }
}

import AudispatchPlugin
import Linux

/// Finds who made changes, from recorded logs.
struct Attributing {
  private let subjects: [Subject]
  private let keys: Set<[UInt8]>

  /// - Parameter now: when the changes were found, in milliseconds since 1970.
  init(
    _ changes: [StateChange], in baseline: Baseline, keys: Set<[UInt8]>, now: Int64,
    isWatched: (FilePath) -> Bool
  ) throws(DatabaseError) {
    self.keys = keys
    let all = Dictionary(changes.map { ($0.path, $0) }) { first, _ in first }
    let readings = try baseline.readings()
    var subjects: [Subject] = []
    for change in changes {
      subjects.append(
        try Subject(
          change, in: baseline, among: all, readings.reading(of: change.path, in: baseline),
          now: now, isWatched: isWatched))
    }
    self.subjects = subjects
  }

  /// Of each change, in their order.
  func attributions(from logs: inout AuditLogFiles) throws -> [Attribution] {
    var files: Set<FileIdentity> = []
    var names: Set<[UInt8]> = []
    for subject in subjects {
      files.formUnion([subject.before, subject.after].compactMap(\.self))
      files.formUnion(subject.above)
      names.insert(Array(subject.change.path.name.bytes))
    }
    let (wantedFiles, wantedNames) = (files, names)
    var deeds = DeedStore(bound: 1 << 20) { deed in
      deed.items.contains { item in
        item.identity.map(wantedFiles.contains) == true || wantedNames.contains(item.leaf)
      }
    }
    var gaps = StreamGaps(keys: keys)
    try logs.read { event in
      gaps.note(event)
      deeds.take(event)
    }
    var all = gaps.all
    if let forgotten = deeds.forgottenUpTo {
      all.append(StreamGap(from: .min, to: forgotten, reason: "there were too many deeds to keep"))
    }
    return subjects.map { subject in
      Attribution(of: subject, from: deeds.deeds(about: subject), gaps: all, keys: keys)
    }
  }
}

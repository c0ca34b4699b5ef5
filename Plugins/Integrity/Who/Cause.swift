import AuditRecord
import Linux

/// Those of the deeds that can have made a change, by what they can do and by when they were done.
///
/// A call's time in the audit record is its beginning, and a file's ctime is set in it, by the same
/// clock: what has changed the file last has a ctime no earlier than its own time, and what came
/// after the last change did nothing to it. Opening for writing comes before the writing, which no
/// record tells of.
struct Cause {
  /// In the order of time.
  private(set) var deeds: [Deed] = []
  /// The time in which they were done: after the one, up to the other, in milliseconds.
  private(set) var since: Int64
  private(set) var until: Int64
  private(set) var hasNameAlone = false
  private(set) var clockWentBack = false
  /// Somebody had it open for writing when its state was read, of whose opening no record is known.
  var mayBeHeld: Bool {
    guard subject.isSameFile, causes.wanted.contains(.content), let file = subject.before else {
      return false
    }
    // It was looked a moment later.
    let openers = deeds.filter {
      $0.time <= subject.reading.since + 1000 && $0.effect.contains(.opening)
    }
    let known = Dictionary(openers.map { ($0.program.pid, $0.time) }, uniquingKeysWith: max)
    return subject.reading.open.mayBeHeld(file, byOthersThan: known)
  }
  /// What no record explains, as sentences.
  private(set) var unexplained: [String] = []

  private let subject: Subject
  private let causes: ChangeCauses
  /// The first deed that can have been done to the new file, which may have an older one's number.
  private var born: Place
  /// The deed by which another file got the number of the old one.
  private var died = Place(time: .max, serial: .max)

  init(_ subject: Subject, _ all: [Deed]) {
    self.subject = subject
    let ordered = all.sorted { $0.place < $1.place }
    since = subject.since
    until = subject.until
    if until < since {
      clockWentBack = true
      since = .min
      until = .max
    }
    causes = ChangeCauses(subject)
    born = Place(time: since, serial: .max)
    if !subject.isSameFile {
      born = max(born, birth(among: ordered))
      let reuse = ordered.first { $0.time > subject.since && $0.makes(subject.before) }
      died = reuse?.place ?? died
    }
    var explanation = Explanation()
    for deed in ordered {
      if deed.items.isEmpty {
        guard countsUnnamed(deed) else { continue }
        explanation.takeUnnamed(deed, until: until)
      } else {
        // Every item is looked at: what only its name tells of is noted.
        let counting = deed.items.filter { counts($0, of: deed) }
        if counting.isEmpty { continue }
        if counting.allSatisfy({ $0.identity == nil }) { hasNameAlone = true }
        explanation.take(deed, counting, about: subject)
      }
      deeds.append(deed)
    }
    if !deeds.isEmpty { unexplained = explanation.lacks(causes, for: subject) }
  }

  private func birth(among ordered: [Deed]) -> Place {
    guard let birth = subject.change.after?.facts.born else { return born }
    let time = birth / 1_000_000
    let creation = ordered.last { deed in
      deed.time <= time + 1 && deed.time >= time - 2000 && deed.makes(subject.after)
    }
    // The kernel's clock for both goes on in steps of at most 10 ms.
    return creation?.place ?? Place(time: time - 11, serial: .max)
  }

  private func counts(_ item: Deed.Item, of deed: Deed) -> Bool {
    let isInTime = deed.time > since && deed.time <= until
    guard let file = item.identity else {
      return item.role != .folder && item.path == subject.change.path && isInTime
    }
    if item.role == .folder {
      // An entry that comes or goes changes the folder that it is in.
      return file == subject.after && subject.isSameFile && isInTime
        && deed.effect.contains(.names) && causes.wanted.contains(.names)
    }
    if subject.isSameFile, file == subject.after {
      if deed.effect.isDisjoint(with: causes.wanted) { return false }
      // Whoever opened it earlier may have gone on writing.
      return isInTime
        || deed.time <= since && deed.effect.contains(.opening) && causes.wanted.contains(.content)
          && subject.mayGoOn(deed)
    }
    let last = subject.change.after?.facts.changedAt ?? until
    if file == subject.after, deed.place >= born, deed.time > since, deed.time <= last {
      return true
    }
    guard isInTime else { return false }
    // What was written into the old file is gone with it, but was a change in between.
    if file == subject.before, deed.place < died {
      return deed.effect.contains(.names) || subject.change.kind != .removed
    }
    guard deed.effect.contains(.names) else { return false }
    guard item.role != .other else { return false }
    if subject.above.contains(file) { return deed.moves }
    // A file that had the name in between.
    return item.leaf.elementsEqual(subject.change.path.name.bytes)
      && deed.items.contains { folder in
        folder.role == .folder && folder.identity.map(subject.folders.contains) == true
      }
  }

  /// Whether what was done to a file that the record does not name can have been done to this one.
  private func countsUnnamed(_ deed: Deed) -> Bool {
    guard !deed.effect.isDisjoint(with: causes.wanted), deed.time > since, deed.time <= until else {
      return false
    }
    // When the state before was read, that of its last change was still the last.
    return subject.isSameFile
      ? deed.time + StreamGaps.longestCall > subject.reading.since || clockWentBack
      : deed.place >= born
  }
}

/// When something was done: records of one moment are in the order of their serials.
struct Place: Comparable {
  var time: Int64
  var serial: UInt64

  static func < (a: Place, b: Place) -> Bool { (a.time, a.serial) < (b.time, b.serial) }
}

extension Deed {
  var place: Place { Place(time: time, serial: stamp.serial) }

  /// Whether it made the file, and not only a name of it.
  func makes(_ file: FileIdentity?) -> Bool {
    makesFiles && items.contains { $0.identity == file && $0.role == .created }
  }

  /// In milliseconds since 1970.
  var time: Int64 { Int64(clamping: stamp.milliseconds) }
}

extension RecordStamp {
  /// `1493125524.089:126`, which ausearch(8) and auditd write.
  var text: String {
    let rest = String(milliseconds % 1000)
    return "\(milliseconds / 1000)." + String(repeating: "0", count: 3 - rest.count) + rest
      + ":\(serial)"
  }
}

import AudispatchPlugin
import AuditRecord
import Linux

/// The deeds of a stream, found by the files they were done to. Memory has a bound: the oldest are
/// forgotten, and it is known since when nothing is.
struct DeedStore {
  private struct Leaf: Hashable {
    var folder: FileIdentity
    var name: [UInt8]
  }

  private let bound: Int
  /// Whether a deed is of interest; those that are not need no room.
  private let interest: @Sendable (Deed) -> Bool
  private var deeds: [Deed] = []
  private var byFile: [FileIdentity: [Int]] = [:]
  private var byLeaf: [Leaf: [Int]] = [:]
  /// Of items of which a record has only the name.
  private var byPath: [FilePath: [Int]] = [:]
  /// Of those whose record names no file.
  private var unnamed: [Int] = []
  private var programs = ProgramTable()
  /// Everything up to this moment may have been forgotten, in milliseconds since 1970.
  private(set) var forgottenUpTo: Int64?

  init(bound: Int = 20_000, interest: @escaping @Sendable (Deed) -> Bool = { _ in true }) {
    self.bound = bound
    self.interest = interest
  }

  var count: Int { deeds.count }

  /// Takes an event; the deed that it tells of, if it is one.
  @discardableResult
  mutating func take(_ event: AuditEvent) -> Deed? {
    programs.note(event)
    guard var deed = Deed(event), interest(deed) else { return nil }
    deed.ancestors = programs.ancestors(of: deed.program.pid)
    if deeds.count >= bound { forgetOldest() }
    deeds.append(deed)
    index(deeds.count - 1)
    return deed
  }

  private mutating func index(_ number: Int) {
    let deed = deeds[number]
    if deed.items.isEmpty { unnamed.append(number) }
    let folders = deed.items.filter { $0.role == .folder }.compactMap(\.identity)
    for item in deed.items {
      if let file = item.identity { byFile[file, default: []].append(number) }
      guard item.role != .folder else { continue }
      let leaf = item.leaf
      if !leaf.isEmpty {
        for folder in folders {
          byLeaf[Leaf(folder: folder, name: leaf), default: []].append(number)
        }
      }
      if item.identity == nil, let path = item.path { byPath[path, default: []].append(number) }
    }
  }

  private mutating func forgetOldest() {
    let half = deeds.count / 2
    forgottenUpTo = deeds[..<half].map { Int64(clamping: $0.stamp.milliseconds) }.max()
    deeds.removeFirst(half)
    byFile.removeAll(keepingCapacity: true)
    byLeaf.removeAll(keepingCapacity: true)
    byPath.removeAll(keepingCapacity: true)
    unnamed.removeAll(keepingCapacity: true)
    for number in deeds.indices { index(number) }
  }

  /// What was done to the file of a subject, to its name, and to the folders above it, whenever.
  func deeds(about subject: Subject) -> [Deed] {
    var numbers: Set<Int> = []
    for file in [subject.before, subject.after].compactMap(\.self) {
      numbers.formUnion(byFile[file] ?? [])
    }
    let leaf = Array(subject.change.path.name.bytes)
    for folder in subject.folders {
      numbers.formUnion(byLeaf[Leaf(folder: folder, name: leaf)] ?? [])
    }
    numbers.formUnion(byPath[subject.change.path] ?? [])
    if subject.mayBeUnnamed { numbers.formUnion(unnamed) }
    for folder in subject.above {
      // Of a folder above it only a move brings it to another place, or away.
      for number in byFile[folder] ?? [] where deeds[number].moves {
        let isMoved = deeds[number].items.contains { item in
          item.identity == folder && (item.role == .created || item.role == .deleted)
        }
        if isMoved { numbers.insert(number) }
      }
    }
    return numbers.sorted().map { deeds[$0] }
  }
}

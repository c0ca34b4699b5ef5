/// The files behind a log: `audit.log.1` is the youngest, and some end in `.gz`.
///
/// Decides what a rotation does with them; does nothing itself. Whatever a crash in the middle of
/// a rotation leaves is mended by the next: a number that is missing is where the shift ends.
struct RotatedFiles: Equatable, Sendable {
  struct File: Comparable, Sendable {
    let number: Int
    let isCompressed: Bool

    static func < (a: File, b: File) -> Bool {
      (a.number, a.isCompressed ? 1 : 0) < (b.number, b.isCompressed ? 1 : 0)
    }
  }

  enum Step: Equatable, Sendable {
    case remove(String)
    case rename(String, String)
  }

  let base: String
  /// By number, the youngest first.
  private(set) var files: [File]

  /// - Parameter names: everything in the folder.
  init(of base: String, among names: [String]) {
    self.base = base
    files = names.compactMap { name in
      guard name.hasPrefix(base + ".") else { return nil }
      let rest = name.dropFirst(base.count + 1)
      let isCompressed = rest.hasSuffix(".gz")
      let digits = isCompressed ? rest.dropLast(3) : rest
      guard let number = Int(digits), number > 0, String(number) == digits else { return nil }
      return File(number: number, isCompressed: isCompressed)
    }.sorted()
  }

  func name(_ file: File) -> String { "\(base).\(file.number)\(file.isCompressed ? ".gz" : "")" }

  /// Compressed copies whose original is there too: what an interrupted compression leaves.
  var doubles: [Step] {
    files.filter { $0.isCompressed && files.contains(File(number: $0.number, isCompressed: false)) }
      .map { .remove(name($0)) }
  }

  /// Files beyond `count`, the one that is written included.
  func excess(keeping count: Int) -> [Step] {
    files.filter { $0.number >= count }.map { .remove(name($0)) }
  }

  /// Makes the log number 1. `count` files are kept, that one and the next included; all when nil.
  func rotation(keeping count: Int?) -> [Step] {
    let last = count.map { max($0 - 1, 1) } ?? .max
    var steps = doubles
    var there: [Int: File] = [:]
    for file in files where there[file.number] == nil { there[file.number] = file }
    var hole = 1
    while hole < last, there[hole] != nil { hole += 1 }
    // The shift ends at the first number that is free, or at the last that is kept.
    for number in there.keys.sorted(by: >) where number > last || number == hole {
      steps.append(.remove(name(there[number]!)))
    }
    for number in stride(from: hole - 1, to: 0, by: -1) {
      let from = there[number]!
      let to = File(number: number + 1, isCompressed: from.isCompressed)
      steps.append(.rename(name(from), name(to)))
    }
    steps.append(.rename(base, "\(base).1"))
    return steps
  }

  /// The oldest, to make room.
  var oldest: String? { files.last.map(name) }

  /// The youngest that is to be compressed.
  func compressible(leaving count: Int) -> File? {
    files.first { $0.number > count && !$0.isCompressed }
  }
}

package import Linux

/// The files behind a file that is rotated: `audit.log.1` is the youngest, and some end in `.gz`.
///
/// Decides what a rotation does with them; does nothing itself. Whatever a crash in the middle of
/// a rotation leaves is mended by the next: a number that is missing is where the shift ends. A
/// number at which there is a folder is passed over.
package struct RotatedFiles: Equatable, Sendable {
  package struct File: Comparable, Sendable {
    package let number: Int
    package let isCompressed: Bool

    package init(number: Int, isCompressed: Bool) {
      self.number = number
      self.isCompressed = isCompressed
    }

    package static func < (a: File, b: File) -> Bool {
      (a.number, a.isCompressed ? 1 : 0) < (b.number, b.isCompressed ? 1 : 0)
    }
  }

  package enum Step: Equatable, Sendable {
    case remove(String)
    case rename(String, String)
  }

  package let base: String
  /// By number, the youngest first.
  package private(set) var files: [File]
  /// Numbers that folders have, in order.
  private let passedOver: [Int]

  /// - Parameters:
  ///   - names: everything in the folder.
  ///   - isFolder: whether that name is a folder's; asked for names of rotated files alone.
  package init(
    of base: String, among names: [String], isFolder: (String) -> Bool = { _ in false }
  ) {
    self.base = base
    let files = names.compactMap { Self.file($0, base) }.sorted()
    let passedOver = Set(
      files.filter { isFolder(Self.name($0, base)) }.map(\.number))
    self.files = files.filter { !passedOver.contains($0.number) }
    self.passedOver = passedOver.sorted()
  }

  /// Of a file in a folder. Blocks.
  package init(of base: String, in folder: String) throws(Errno) {
    let prefix = folder == "/" ? "/" : folder + "/"
    self.init(of: base, among: try Files.names(in: folder)) { name in
      (try? Files.status(of: prefix + name, followingLinks: false))?.kind == .directory
    }
  }

  private static func file(_ name: String, _ base: String) -> File? {
    guard name.hasPrefix(base + ".") else { return nil }
    let rest = name.dropFirst(base.count + 1)
    let isCompressed = rest.hasSuffix(".gz")
    let digits = isCompressed ? rest.dropLast(3) : rest
    guard let number = Int(digits), number > 0, String(number) == digits else { return nil }
    return File(number: number, isCompressed: isCompressed)
  }

  package static func name(_ file: File, _ base: String) -> String {
    "\(base).\(file.number)\(file.isCompressed ? ".gz" : "")"
  }

  package func name(_ file: File) -> String { Self.name(file, base) }

  /// Which of the numbers that may be used this is: 1 is the first.
  private func place(_ number: Int) -> Int { number - passedOver.count { $0 < number } }

  private func number(at place: Int) -> Int {
    var number = place
    for taken in passedOver where taken <= number { number += 1 }
    return number
  }

  /// Compressed copies whose original is there too: what an interrupted compression leaves.
  package var doubles: [Step] {
    files.filter { $0.isCompressed && files.contains(File(number: $0.number, isCompressed: false)) }
      .map { .remove(name($0)) }
  }

  /// Files beyond `count`, the one that is written included.
  package func excess(keeping count: Int) -> [Step] {
    files.filter { place($0.number) >= count }.map { .remove(name($0)) }
  }

  /// Makes the file number 1. `count` files are kept, that one and the next included; all when nil.
  package func rotation(keeping count: Int?) -> [Step] {
    let last = count.map { max($0 - 1, 1) } ?? .max
    var steps = doubles
    var there: [Int: File] = [:]
    for file in files where there[place(file.number)] == nil { there[place(file.number)] = file }
    var hole = 1
    while hole < last, there[hole] != nil { hole += 1 }
    // The shift ends at the first place that is free, or at the last that is kept.
    for place in there.keys.sorted(by: >) where place > last || place == hole {
      steps.append(.remove(name(there[place]!)))
    }
    for place in stride(from: hole - 1, to: 0, by: -1) {
      let from = there[place]!
      let to = File(number: number(at: place + 1), isCompressed: from.isCompressed)
      steps.append(.rename(name(from), name(to)))
    }
    steps.append(.rename(base, "\(base).\(number(at: 1))"))
    return steps
  }

  /// Makes a file number 1, and each older one the next. Blocks.
  ///
  /// - Parameters:
  ///   - count: files that are kept, that one and the next included.
  ///   - remove: removes one that goes: the oldest, or, `isDouble`, a copy of one that stays.
  package static func rotate(
    _ path: String, keeping count: Int,
    remove: (_ path: String, _ isDouble: Bool) throws(SystemError) -> Void
  ) throws(SystemError) {
    let folder = Files.folder(of: path)
    let prefix = folder == "/" ? "/" : folder + "/"
    let files: RotatedFiles
    do throws(Errno) {
      files = try RotatedFiles(of: String(path.dropFirst(prefix.count)), in: folder)
    } catch { throw SystemError("list", folder, error) }
    for step in files.rotation(keeping: count) {
      switch step {
      case .remove(let old): try remove(prefix + old, files.doubles.contains(step))
      case .rename(let old, let new): try Files.rename(prefix + old, to: prefix + new)
      }
    }
  }

  /// The oldest, to make room.
  package var oldest: String? { files.last.map(name) }

  /// The youngest that is to be compressed.
  package func compressible(leaving count: Int) -> File? {
    files.first { place($0.number) > count && !$0.isCompressed }
  }
}

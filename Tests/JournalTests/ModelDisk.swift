import Glibc
import Linux
import TestSupport

@testable import Journal

/// A disk that forgets what was not synced, in the ways that disks do.
struct ModelDisk: SpoolDisk {
  struct File {
    var bytes: [UInt8] = []
    /// So much of it survives a crash for sure.
    var synced = 0
  }

  var files: [String: File] = [:]
  /// Names that survive a crash for sure, and those that were removed since and may come back.
  var syncedNames: Set<String> = []
  var removed: [String: File] = [:]
  /// The next calls that fail, with what.
  var failures: [Errno] = []
  var random: Seeded
  /// The names of the files that were read from.
  private(set) var reads: Set<String> = []

  init(_ random: Seeded) { self.random = random }

  private mutating func mayFail() throws(Errno) {
    if let errno = failures.popLast() { throw errno }
  }

  func names() throws(Errno) -> [String] { Array(files.keys) + ["lock"] }

  mutating func create(_ name: String) throws(Errno) {
    try mayFail()
    guard files[name] == nil else { throw Errno(EEXIST) }
    files[name] = File()
  }

  mutating func append(_ name: String, _ bytes: [UInt8]) throws(Errno) {
    do throws(Errno) {
      try mayFail()
    } catch {
      files[name]?.bytes += bytes.prefix(Int.random(in: 0...bytes.count, using: &random))
      throw error
    }
    files[name]?.bytes += bytes
  }

  mutating func sync(_ name: String) throws(Errno) {
    try mayFail()
    let count = files[name]?.bytes.count ?? 0
    files[name]?.synced = count
  }

  mutating func syncFolder() throws(Errno) {
    try mayFail()
    syncedNames = Set(files.keys)
    removed = [:]
  }

  mutating func read(_ name: String, from: Int, count: Int) throws(Errno) -> [UInt8] {
    reads.insert(name)
    let bytes = files[name]?.bytes ?? []
    return Array(bytes.dropFirst(from).prefix(count))
  }

  func size(_ name: String) throws(Errno) -> Int { files[name]?.bytes.count ?? 0 }

  mutating func remove(_ name: String) throws(Errno) {
    try mayFail()
    if syncedNames.contains(name) { removed[name] = files[name] }
    files[name] = nil
  }

  /// A bit of some file turns over.
  mutating func flip() {
    guard let name = files.keys.sorted().randomElement(using: &random),
      let count = files[name]?.bytes.count, count > 0
    else { return }
    files[name]?.bytes[Int.random(in: 0..<count, using: &random)] ^=
      1 << UInt8.random(in: 0..<8, using: &random)
  }

  /// The power goes: of what was not synced, sectors of 512 bytes are there or are zeros, in any
  /// order; files may be shorter, or gone, and removed ones back.
  mutating func crash() {
    failures = []
    for (name, file) in removed where Bool.random(using: &random) { files[name] = file }
    removed = [:]
    for (name, file) in files {
      if !syncedNames.contains(name), Bool.random(using: &random) {
        files[name] = nil
        continue
      }
      var bytes = file.bytes
      let length = Int.random(in: file.synced...bytes.count, using: &random)
      bytes.removeLast(bytes.count - length)
      var sector = file.synced
      while sector < bytes.count {
        let end = min(bytes.count, (sector / 512 + 1) * 512)
        if Bool.random(using: &random) { for i in sector..<end { bytes[i] = 0 } }
        sector = end
      }
      files[name] = File(bytes: bytes, synced: bytes.count)
    }
    syncedNames = Set(files.keys)
  }
}

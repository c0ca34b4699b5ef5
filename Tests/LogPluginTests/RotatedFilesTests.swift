import Configuration
import Testing

import AudispatchPlugin
@testable import audispatch_log

/// Files by name, with the generation of what is in them: 1 is the oldest.
private struct Disk: Equatable {
  var files: [String: Int]

  mutating func apply(_ step: RotatedFiles.Step) {
    switch step {
    case .remove(let name): files[name] = nil
    case .rename(let from, let to):
      #expect(files[from] != nil, "\(from) is not there")
      // An original and its copy have the same content; anything else must not be written over.
      files[to] = files.removeValue(forKey: from)
    }
  }

  /// From the youngest to the oldest.
  var order: [Int] {
    RotatedFiles(of: "a", among: Array(files.keys)).files.map {
      files["a.\($0.number)\($0.isCompressed ? ".gz" : "")"]!
    }
  }
}

@Suite("The rotated files of a log")
struct RotatedFilesTests {
  static let rotations: [([String], Int?, [RotatedFiles.Step])] = [
    (["a"], 5, [.rename("a", "a.1")]),
    (
      ["a", "a.1", "a.2"], 5,
      [.rename("a.2", "a.3"), .rename("a.1", "a.2"), .rename("a", "a.1")]
    ),
    (["a", "a.1", "a.2"], 3, [.remove("a.2"), .rename("a.1", "a.2"), .rename("a", "a.1")]),
    (["a", "a.1"], 2, [.remove("a.1"), .rename("a", "a.1")]),
    (
      ["a", "a.1", "a.2.gz"], 9,
      [.rename("a.2.gz", "a.3.gz"), .rename("a.1", "a.2"), .rename("a", "a.1")]
    ),
    // A number that is missing ends the shift.
    (["a", "a.1", "a.3"], 9, [.rename("a.1", "a.2"), .rename("a", "a.1")]),
    (["a", "a.2", "a.3"], 9, [.rename("a", "a.1")]),
    // An interrupted compression.
    (
      ["a", "a.1", "a.1.gz"], 9,
      [.remove("a.1.gz"), .rename("a.1", "a.2"), .rename("a", "a.1")]
    ),
    // Too many of them.
    (
      ["a", "a.1", "a.2", "a.7", "a.8.gz"], 3,
      [
        .remove("a.8.gz"), .remove("a.7"), .remove("a.2"), .rename("a.1", "a.2"),
        .rename("a", "a.1"),
      ]
    ),
    (["a", "a.01", "a.x", "a.1.bz2", "a.", "b.1", "a.0"], 5, [.rename("a", "a.1")]),
  ]

  @Test(arguments: rotations.indices)
  func `move by one`(_ index: Int) {
    let (names, count, expected) = Self.rotations[index]
    #expect(RotatedFiles(of: "a", among: names).rotation(keeping: count) == expected)
  }

  /// Every set of up to five files, plain or compressed or with holes; every number to keep; every
  /// place at which the first rotation is broken off.
  @Test func `keep their order and lose only the oldest, wherever a rotation is broken off`() {
    for state in 0..<243 {
      var files: [String: Int] = [:]
      var rest = state
      for number in 1...5 {
        if rest % 3 == 1 { files["a.\(number)"] = 6 - number }
        if rest % 3 == 2 { files["a.\(number).gz"] = 6 - number }
        rest /= 3
      }
      for count in [nil, 2, 3, 4, 5, 6, 9] {
        var disk = Disk(files: files)
        disk.files["a"] = 6
        let steps = RotatedFiles(of: "a", among: Array(disk.files.keys)).rotation(keeping: count)
        for broken in 0...steps.count {
          var broken = steps[..<broken].reduce(into: disk) { $0.apply($1) }
          if broken.files["a"] == nil { broken.files["a"] = 7 }
          let before = broken
          let again = RotatedFiles(of: "a", among: Array(broken.files.keys))
          for step in again.rotation(keeping: count) { broken.apply(step) }
          let order = broken.order
          #expect(order == order.sorted(by: >), "\(files) \(String(describing: count))")
          let all = before.files.values.sorted(by: >)
          #expect(order == Array(all.prefix(order.count)))
          if let count {
            #expect(broken.files.keys.allSatisfy { Int($0.split(separator: ".")[1])! < count })
          } else {
            #expect(order.count == all.count)
          }
        }
      }
    }
  }

  /// A file takes the next number that no folder has.
  @Test func `pass over the numbers of folders`() {
    let names = ["a", "a.1", "a.2", "a.4", "a.5"]
    let files = RotatedFiles(of: "a", among: names) { ["a.2", "a.4"].contains($0) }
    #expect(
      files.rotation(keeping: nil) == [.rename("a.1", "a.3"), .rename("a", "a.1")])
    #expect(files.excess(keeping: 3) == [.remove("a.5")])
    #expect(files.excess(keeping: 4) == [])
    let first = RotatedFiles(of: "a", among: ["a", "a.1"]) { $0 == "a.1" }
    #expect(first.rotation(keeping: 5) == [.rename("a", "a.2")])
    #expect(first.oldest == nil)
  }

  @Test func `are compressed from the youngest on that may be`() {
    let files = RotatedFiles(of: "a", among: ["a", "a.1", "a.2", "a.3", "a.4.gz"])
    #expect(files.compressible(leaving: 0) == .init(number: 1, isCompressed: false))
    #expect(files.compressible(leaving: 1) == .init(number: 2, isCompressed: false))
    #expect(files.compressible(leaving: 3) == nil)
    #expect(files.oldest == "a.4.gz")
  }
}

@Suite("The watch over free space")
struct SpaceWatchTests {
  typealias Look = (free: Int, fell: SpaceWatch.Level?, rose: Bool)

  /// With limits of 100 and 40.
  static let runs: [[Look]] = [
    [(200, nil, false), (100, nil, false), (99, .low, false), (98, nil, false)],
    [(39, .administrators, false), (20, nil, false), (41, nil, false), (42, nil, true)],
    // A twentieth more than the limit: then it can be reached again.
    [(99, .low, false), (104, nil, false), (105, nil, true), (99, .low, false)],
    [
      (99, .low, false), (39, .administrators, false), (200, nil, true),
      (39, .administrators, false),
    ],
    [(39, .administrators, false), (90, nil, true), (39, .administrators, false)],
  ]

  @Test(arguments: runs.indices)
  func `speaks once for each fall`(_ index: Int) {
    var watch = SpaceWatch()
    for look in Self.runs[index] {
      let (fell, rose) = watch.look(free: look.free, low: 100, administrators: 40)
      #expect(fell == look.fell && rose == look.rose, "\(look)")
    }
  }

  @Test(arguments: [("75", SpaceLimit.megabytes(75)), ("5%", .percent(5)), ("0", .megabytes(0))])
  func `has limits in MiB or percent`(_ text: String, _ limit: SpaceLimit) throws {
    let word = Word(text: text, file: "f", position: .init(line: 1, column: 1))
    #expect(try SpaceLimit(word, for: "space_left") == limit)
  }

  @Test(arguments: ["", "x", "-1", "0%", "100%", "5 %", "1M", "+5"])
  func `has no other limits`(_ text: String) {
    let word = Word(text: text, file: "f", position: .init(line: 1, column: 1))
    #expect(throws: Diagnostic.self) { try SpaceLimit(word, for: "space_left") }
  }

  @Test func `takes a share of the file system`() {
    #expect(SpaceLimit.percent(5).bytes(of: 1000) == 50)
    #expect(SpaceLimit.megabytes(3).bytes(of: 1000) == 3 << 20)
    #expect(SpaceLimit.percent(5).isBelow(.megabytes(3)) == nil)
    #expect(SpaceLimit.percent(5).isBelow(.percent(5)) == false)
  }
}

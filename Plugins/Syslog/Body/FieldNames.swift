/// The names that fields have, each once, whether or not a reader knows upper case from lower.
struct FieldNames {
  private var times: [[UInt8]: Int]

  /// - Parameter reserved: names that no field may have, in lower case.
  init(reserved: [String] = []) {
    times = Dictionary(uniqueKeysWithValues: reserved.map { (Array($0.utf8), 1) })
  }

  /// The name, with a number when it is taken: `uid`, `uid_2`.
  mutating func unused(_ name: [UInt8]) -> [UInt8] {
    let key = Self.lower(name)
    guard var number = times[key] else {
      times[key] = 1
      return name
    }
    var numbered: [UInt8]
    repeat {
      number += 1
      numbered = name + Array("_\(number)".utf8)
    } while times[Self.lower(numbered)] != nil
    times[key] = number
    times[Self.lower(numbered)] = 1
    return numbered
  }

  private static func lower(_ name: [UInt8]) -> [UInt8] {
    name.map { $0 &- 0x41 < 26 ? $0 | 0x20 : $0 }
  }
}

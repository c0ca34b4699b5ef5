import Glibc
import Linux

/// From whom a process descends: whether a plugin of a dispatcher has started it, however many programs
/// are between, and whatever those keep of its environment.
struct Descent {
  /// The parent first.
  var ancestors: [ProcessFacts]

  /// - Parameters:
  ///   - children: of that dispatcher, as its list has them.
  ///   - keeper: the process that lives on when that dispatcher dies, of that name: what a plugin has
  ///     started and left is its child.
  func isOf(_ children: [ChildrenList.Child], keeper: Int32?) -> Bool {
    ancestors.contains { ancestor in
      ancestor.pid == keeper && ancestor.name == "audispatchd"
        || children.contains { $0.pid == ancestor.pid && $0.start == ancestor.start }
    }
  }
}

extension Descent {
  /// Of this process, as far as /proc shows it.
  static var own: Descent {
    var ancestors: [ProcessFacts] = []
    var next = getppid()
    // Numbers of processes that end meanwhile may come again: no chain is that long.
    while next > 0, ancestors.count < 1000, let facts = ProcessFacts(next) {
      ancestors.append(facts)
      next = facts.parent
    }
    return Descent(ancestors: ancestors)
  }
}

/// A process, as /proc shows it.
struct ProcessFacts: Equatable {
  var pid: Int32
  var parent: Int32
  /// What the kernel calls it: its program's name, 15 bytes of it.
  var name: String
  /// When it started, in clock ticks since boot; with its number it names a process for good.
  var start: UInt64

  /// `nil` when there is none, or only its remains.
  init?(_ pid: Int32) {
    guard let bytes = try? Transfer.contents(of: "/proc/\(pid)/stat", limit: 4096) else {
      return nil
    }
    self.init(stat: bytes, of: pid)
  }

  /// - Parameter stat: as `/proc/PID/stat` has it.
  init?(stat bytes: [UInt8], of pid: Int32) {
    guard let opening = bytes.firstIndex(of: UInt8(ascii: "(")),
      let bracket = bytes.lastIndex(of: UInt8(ascii: ")")), opening < bracket
    else { return nil }
    let words = String(decoding: bytes[(bracket + 1)...], as: UTF8.self).split(separator: " ")
    guard words.count > 19, words[0] != "Z", let parent = Int32(words[1]),
      let start = UInt64(words[19])
    else { return nil }
    self.pid = pid
    self.parent = parent
    self.start = start
    name = String(decoding: bytes[(opening + 1)..<bracket], as: UTF8.self)
  }

  init(pid: Int32, parent: Int32, name: String, start: UInt64) {
    (self.pid, self.parent, self.name, self.start) = (pid, parent, name, start)
  }

  static func startTime(_ pid: Int32) -> UInt64? { ProcessFacts(pid)?.start }

  /// Whether that process is gone, or only its remains are there. One that cannot be looked at, for want
  /// of descriptors perhaps, may still run.
  static func hasEnded(_ pid: Int32, startedAt start: UInt64) -> Bool {
    do throws(SystemError) {
      let stat = try Transfer.contents(of: "/proc/\(pid)/stat", limit: 4096)
      return ProcessFacts(stat: stat, of: pid)?.start != start
    } catch { return error.cause == Errno(ENOENT) || error.cause == Errno(ESRCH) }
  }
}

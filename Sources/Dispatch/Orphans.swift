import Glibc
import Linux

/// The plugins of a dispatcher that was killed. Its successor knows them from the list that it kept
/// in the runtime folder, one a line:
///
///     PID START NAME    a child, and when it was started
///     0 0 NAME          one that was being started when the list was written
///
/// They had the end of their input when their dispatcher died. Two seconds later they are asked to
/// end, three later made to: as at a stop.
struct Orphans {
  /// Kept by the dispatcher whose children they are.
  static let file = "children"
  /// The variable in a plugin's environment by which one is found that was only being started.
  static let variable = "AUDISPATCH_RUNTIME_DIR"

  /// What a predecessor's child was called, and which process it is.
  struct Child: Equatable {
    var pid: Int32
    var name: String
  }

  /// A child that was being started has its environment a moment after the list names it.
  private static let environmentIsSet = Duration.milliseconds(100)

  private var since: Moment?

  /// The list's text.
  static func list(_ plugins: [Plugin], starting: Plugin?) -> String {
    var text = starting.map { "0 0 \($0.name)\n" } ?? ""
    for plugin in plugins {
      if let pid = plugin.child?.pid, let start = ProcessFacts.startTime(pid) {
        text += "\(pid) \(start) \(plugin.name)\n"
      }
    }
    return text
  }

  /// Those that still run, asked or made to end as their time has come; `nil`: not known yet.
  mutating func remaining(in folder: String, now: Moment) -> [Child]? {
    guard let bytes = try? Transfer.contents(of: "\(folder)/\(Self.file)", limit: 1 << 20) else {
      return []  // No such file: nobody left any.
    }
    let since = self.since ?? now
    self.since = since
    var found: [Child] = []
    var unnoted: Set<String> = []
    for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
      let words = line.split(separator: " ", maxSplits: 2)
      guard words.count == 3, let pid = Int32(words[0]), let start = UInt64(words[1]) else {
        continue
      }
      if pid == 0 {
        unnoted.insert(String(words[2]))
      } else if ProcessFacts.startTime(pid) == start {
        found.append(Child(pid: pid, name: String(words[2])))
      }
    }
    if !unnoted.isEmpty {
      let noted = found.map(\.pid)
      found += Self.children(called: unnoted, of: folder).filter { !noted.contains($0.pid) }
      if found.isEmpty, now - since < Self.environmentIsSet { return nil }
    }
    for child in found {
      if now - since > .seconds(5) {
        kill(child.pid, SIGKILL)
      } else if now - since > .seconds(2) {
        kill(child.pid, SIGTERM)
      }
    }
    return found
  }

  /// The processes whose environment says that they are plugins of these names, of that folder's
  /// dispatcher. Reads all of /proc.
  private static func children(called names: Set<String>, of folder: String) -> [Child] {
    let variables = Dictionary(
      uniqueKeysWithValues: names.map { (Array("AUDISPATCH_PLUGIN=\($0)".utf8), $0) })
    let ours = Array("\(variable)=\(folder)".utf8)
    return ((try? Files.names(in: "/proc")) ?? []).compactMap { entry in
      guard let pid = Int32(entry), ProcessFacts.startTime(pid) != nil,
        let environment = try? Transfer.contents(of: "/proc/\(pid)/environ", limit: 1 << 20)
      else { return nil }
      let words = environment.split(separator: 0).map(Array.init)
      guard words.contains(ours), let name = words.compactMap({ variables[$0] }).first else {
        return nil
      }
      return Child(pid: pid, name: name)
    }
  }
}

/// Facts from /proc.
enum ProcessFacts {
  /// When a process started, in clock ticks since boot; with its number it names a process for good.
  /// `nil` when there is none, or only its remains.
  static func startTime(_ pid: Int32) -> UInt64? {
    guard let bytes = try? Transfer.contents(of: "/proc/\(pid)/stat", limit: 4096),
      let bracket = bytes.lastIndex(of: UInt8(ascii: ")"))
    else { return nil }
    let words = String(decoding: bytes[(bracket + 1)...], as: UTF8.self).split(separator: " ")
    guard words.count > 19, words[0] != "Z" else { return nil }
    return UInt64(words[19])
  }
}

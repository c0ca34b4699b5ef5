import Glibc
import Linux

/// The plugins of a dispatcher that was killed, as its successor finds them in its `ChildrenList`.
///
/// They had the end of their input when their dispatcher died. Two seconds later they are asked to
/// end, three later made to: as at a stop. Each holds up the plugin of its own name, and no other.
struct Orphans {
  /// The variable in a plugin's environment by which one is found that was only being started.
  static let variable = "AUDISPATCH_RUNTIME_DIR"

  /// A child that was being started has its environment a moment after the list names it.
  private static let environmentIsSet = Duration.milliseconds(100)

  private let folder: String
  private let since: Moment
  private(set) var children: [ChildrenList.Child] = []
  /// Names of which one was being started, whose process is not known yet.
  private var unnoted: Set<String> = []

  init(_ list: ChildrenList.Content, folder: String, now: Moment) {
    self.folder = folder
    since = now
    children = list.children
    unnoted = list.starting
  }

  /// Whether one of that name may still run.
  func includes(_ name: String) -> Bool {
    unnoted.contains(name) || children.contains { $0.name == name }
  }

  var isEmpty: Bool { children.isEmpty && unnoted.isEmpty }
  var names: Set<String> { Set(children.map(\.name)) }

  /// Looks which still run, and asks or makes them to end as their time has come.
  ///
  /// - Parameter user: whose process a plugin of that name is.
  mutating func tend(_ now: Moment, user: (String) -> UInt32) {
    children.removeAll { ProcessFacts.startTime($0.pid) != $0.start }
    if !unnoted.isEmpty { find(now, user) }
    for child in children {
      if now - since > .seconds(5) {
        kill(child.pid, SIGKILL)
      } else if now - since > .seconds(2) {
        kill(child.pid, SIGTERM)
      }
    }
  }

  /// When to look again: most have ended within moments.
  func nextLook(_ now: Moment) -> Moment {
    now + (now - since < .milliseconds(200) ? .milliseconds(4) : .milliseconds(50))
  }

  /// Looks in all of /proc for the processes whose environment says that they are what was being
  /// started. Anybody can set an environment, but nobody another user.
  private mutating func find(_ now: Moment, _ user: (String) -> UInt32) {
    let variables = Dictionary(
      uniqueKeysWithValues: unnoted.map { (Array("AUDISPATCH_PLUGIN=\($0)".utf8), $0) })
    let ours = Array("\(Self.variable)=\(folder)".utf8)
    for entry in (try? Files.names(in: "/proc")) ?? [] {
      guard let pid = Int32(entry), !children.contains(where: { $0.pid == pid }),
        let start = ProcessFacts.startTime(pid),
        let environment = try? Transfer.contents(of: "/proc/\(pid)/environ", limit: 1 << 20)
      else { continue }
      let words = environment.split(separator: 0).map(Array.init)
      guard words.contains(ours), let name = words.compactMap({ variables[$0] }).first,
        ProcessFacts.users(pid) == Set([user(name)])
      else { continue }
      unnoted.remove(name)
      children.append(ChildrenList.Child(pid: pid, start: start, name: name))
    }
    if now - since >= Self.environmentIsSet { unnoted = [] }
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

  /// Whose it is: its real, effective, saved and file system user.
  static func users(_ pid: Int32) -> Set<UInt32> {
    let bytes = (try? Transfer.contents(of: "/proc/\(pid)/status", limit: 1 << 16)) ?? []
    let line = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
      .first { $0.hasPrefix("Uid:") }
    return Set((line ?? "").split { $0 == "\t" || $0 == " " }.dropFirst().compactMap { UInt32($0) })
  }
}

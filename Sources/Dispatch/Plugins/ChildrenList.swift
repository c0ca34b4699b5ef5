import Glibc
import Linux

/// The list of a dispatcher's children in its runtime folder, for a successor should it be killed.
///
/// A line for each child, written before that may do anything:
///
///     PID START NAME    START as in /proc/PID/stat
///
/// So a start costs the same however many children there are. That a child has ended is not noted: its
/// number and start time name no process then. When most lines are old the list is written anew.
///
/// A value: what is to be done with the file, `ChildrenFile` does.
struct ChildrenList {
  static let file = "children"

  /// Which process a child is.
  struct Child: Equatable {
    var pid: Int32
    var start: UInt64
    var name: String

    fileprivate var line: String { "\(pid) \(start) \(name)\n" }
  }

  /// What a list says.
  struct Content: Equatable {
    var children: [Child] = []

    init(_ text: some Sequence<UInt8>) {
      let text = String(decoding: Array(text), as: UTF8.self)
      for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
        let words = line.split(separator: " ", maxSplits: 2)
        guard words.count == 3, let pid = Int32(words[0]), let start = UInt64(words[1]), pid > 0
        else { continue }
        // Two generations may be there of one name.
        children.append(Child(pid: pid, start: start, name: String(words[2])))
      }
    }
  }

  enum Change: Equatable, Sendable {
    case anew(String)
    case append(String)
  }

  private var hasFile = false
  private var lines = 0
  /// Of this process's children.
  private var running: [String: Child] = [:]
  /// Of a predecessor.
  private var left: [Child]

  /// - Parameter left: what a predecessor has left.
  init(left: Content) { self.left = left.children }

  static func content(in folder: String) -> Content {
    Content((try? Transfer.contents(of: "\(folder)/\(file)", limit: 8 << 20)) ?? [])
  }

  /// Begins with a file of this process's own; `nil`: there is one.
  mutating func begin() -> Change? { hasFile ? nil : anew() }

  /// A child is there; it does nothing before that is done. `nil`: it is gone already.
  mutating func started(_ name: String, _ pid: Int32) -> [Change]? {
    guard let start = ProcessFacts.startTime(pid) else { return nil }
    if lines > 2 * running.count + 64 { hasFile = false }
    let child = Child(pid: pid, start: start, name: name)
    defer {
      lines += 1
      running[name] = child
    }
    return [begin(), .append(child.line)].compactMap(\.self)
  }

  mutating func ended(_ name: String) { running[name] = nil }

  private mutating func anew() -> Change {
    hasFile = true
    left.removeAll { ProcessFacts.startTime($0.pid) != $0.start }
    let all = left + running.values
    lines = all.count
    return .anew(all.map(\.line).joined())
  }
}

/// The file of the list. Without it a successor only cannot wait for the children: nothing is said of a
/// failure.
struct ChildrenFile: ~Copyable {
  private let path: String
  private var file: Descriptor?

  init(in folder: String) { path = "\(folder)/\(ChildrenList.file)" }

  mutating func make(_ change: ChildrenList.Change) {
    switch change {
    case .anew(let text):
      file = nil
      try? FolderWork.replace(path, text, mode: 0o640)
    case .append(let line):
      if file == nil {
        file = try? Descriptor.open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, mode: 0o640)
      }
      guard let file = file?.number else { return }
      try? Transfer.writeAll(file, Array(line.utf8))
    }
  }
}

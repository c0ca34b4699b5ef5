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
struct ChildrenList: ~Copyable {
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

  private let path: String
  private var file: Descriptor?
  private var lines = 0
  /// Of this process's children.
  private var running: [String: Child] = [:]
  /// Of a predecessor.
  private var left: [Child]

  /// - Parameter left: what a predecessor has left.
  init(in folder: String, left: Content) {
    path = "\(folder)/\(Self.file)"
    self.left = left.children
  }

  static func content(in folder: String) -> Content {
    Content((try? Transfer.contents(of: "\(folder)/\(file)", limit: 8 << 20)) ?? [])
  }

  /// Makes the file, if there is none of this process's.
  mutating func open() { if file == nil { writeAnew() } }

  /// A child is there; it does nothing yet.
  mutating func hasStarted(_ name: String, _ pid: Int32) {
    if lines > 2 * running.count + 64 { file = nil }
    guard let start = ProcessFacts.startTime(pid) else { return }
    let child = Child(pid: pid, start: start, name: name)
    append(child.line)
    running[name] = child
  }

  mutating func hasEnded(_ name: String) { running[name] = nil }

  /// Without the list a successor only cannot wait for them: nothing is said of a failure.
  private mutating func append(_ line: String) {
    open()
    guard let file = file?.number else { return }
    try? Transfer.writeAll(file, Array(line.utf8))
    lines += 1
  }

  private mutating func writeAnew() {
    left.removeAll { ProcessFacts.startTime($0.pid) != $0.start }
    let all = left + running.values
    try? RuntimeFolder.replace(path, all.map(\.line).joined(), mode: 0o640)
    lines = all.count
    file = try? Descriptor.open(path, O_WRONLY | O_APPEND | O_NOFOLLOW)
  }
}

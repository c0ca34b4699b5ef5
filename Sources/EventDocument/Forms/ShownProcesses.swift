import ProcessContext

/// What documents show of processes, written once for all events of each: between two execs nothing of
/// a process changes, and most events have those above it.
struct ShownProcesses: Sendable {
  private struct Shown: Sendable {
    var pid: Int32 = 0
    /// Held, so that no other process's texts come to stand where its own do.
    var texts: KnownProcess.HeldTexts?
    /// Its parts, one behind another.
    var bytes: [UInt8] = []
    /// Members of another process, behind its pid.
    var other = 0..<0
    /// The arguments, where the event has none.
    var arguments = 0..<0
    /// Members of the process of the event.
    var own = 0..<0
    /// An object among the ancestors.
    var ancestor = 0..<0
  }

  /// A power of two: the place is in the pid.
  private static let size = 512
  private var known = [Shown](repeating: Shown(), count: size)
  private var scratch = DocumentBytes(.escaped)

  enum Part { case other, arguments, own, ancestor }

  /// Writes members, or an object, of a process.
  mutating func write(_ part: Part, of process: KnownProcess, _ out: inout DocumentBytes) {
    guard !out.isLimited else { return Self.make(part, process, &out) }
    let place = Int(process.pid) & (Self.size - 1)
    if !isKnown(process, at: place) { known[place] = make(process) }
    let range =
      switch part {
      case .other: known[place].other
      case .arguments: known[place].arguments
      case .own: known[place].own
      case .ancestor: known[place].ancestor
      }
    let bytes = known[place].bytes
    out.written(bytes.span.extracting(range))
  }

  private func isKnown(_ process: KnownProcess, at place: Int) -> Bool {
    known[place].pid == process.pid && known[place].texts?.areThose(of: process) == true
  }

  private mutating func make(_ process: KnownProcess) -> Shown {
    var shown = Shown(pid: process.pid, texts: process.heldTexts)
    shown.other = add(.other, process, to: &shown.bytes)
    shown.arguments = add(.arguments, process, to: &shown.bytes)
    shown.own = add(.own, process, to: &shown.bytes)
    shown.ancestor = add(.ancestor, process, to: &shown.bytes)
    return shown
  }

  private mutating func add(
    _ part: Part, _ process: KnownProcess, to bytes: inout [UInt8]
  ) -> Range<Int> {
    scratch.begin()
    Self.make(part, process, &scratch)
    let start = bytes.count
    bytes += scratch.bytes
    return start..<bytes.count
  }

  private static func make(_ part: Part, _ process: KnownProcess, _ out: inout DocumentBytes) {
    switch part {
    case .other:
      out.member("entity_id", process.identity)
      out.member("name", process.name)
      out.member("executable", process.executable)
      writeArguments(of: process, &out)
      writeHash(process, &out)
    case .arguments: writeArguments(of: process, &out)
    case .own:
      out.member("entity_id", process.identity)
      writeHash(process, &out)
    case .ancestor:
      out.beginObject()
      out.key("pid")
      out.integer(Int(process.pid))
      out.member("name", process.name)
      out.member("entity_id", process.identity)
      out.endObject()
    }
  }

  private static func writeArguments(of process: KnownProcess, _ out: inout DocumentBytes) {
    guard !process.arguments.isEmpty else { return }
    let all = process.arguments.span
    out.array("args")
    var count = 0
    var start = 0
    while start <= all.count {
      var end = start
      while end < all.count, all[end] != 0 { end += 1 }
      if count < out.itemLimit {
        let missing = end == all.count ? process.argumentsCut : 0
        out.string(all.extracting(start..<end), lacking: missing)
      }
      count += 1
      start = end + 1
    }
    if count > out.itemLimit { out.omitted(count - out.itemLimit) }
    out.endArray()
  }

  private static func writeHash(_ process: KnownProcess, _ out: inout DocumentBytes) {
    guard !process.hash.isEmpty else { return }
    out.object("hash")
    out.member("sha256", Hexadecimal.text(process.hash))
    out.endObject()
  }
}

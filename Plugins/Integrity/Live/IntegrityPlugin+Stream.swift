import AudispatchPlugin
import CAudit
import Linux

/// How the plugin knows since when the stream is whole.
extension IntegrityPlugin {
  /// Takes what was found of the stream.
  mutating func noteStream() {
    stream.note(gaps, scanned: wholeScans.newest, at: MonotonicTime.now)
  }

  /// Says that no record is this host's, and when one has come.
  mutating func sayOwn() {
    guard own.areAllOthers != (proving.said["node"]?.isEmpty == false) else { return }
    let finding =
      "every record has the name of another host, or may be another's: audit_node says what this one is "
      + "called, and hosts = own in its plugins.d file keeps others' out"
    say("node", own.areAllOthers ? [finding] : [], well: "records of this host come")
  }

  /// Asks the kernel what it has lost; nothing is known of that without the helper.
  mutating func noteLosses() {
    let asked = WallClock.milliseconds
    let count = helper?.losses()
    losses.isKnown = count != nil
    guard let count else { return }
    guard let gap = losses.note(count, asked: asked, answered: WallClock.milliseconds) else {
      return
    }
    gaps.lost(from: gap.from, to: gap.to)
    noteStream()
  }

  /// Does what is due.
  mutating func proveStream(at now: Duration) throws {
    if stream.marks.next(at: now) {
      marks.write("op=integrity-mark", type: Int32(AUDIT_TRUSTED_APP), isGood: true)
    }
    if let due = stream.lookAt, due <= now {
      stream.looked()
      amendUncertain()
      sayStream()
    }
    if let due = stream.scans.due, due <= now { try scanAll() }
  }

  /// Says that something is lacking, and since when nothing is.
  mutating func sayStream() {
    let since = wholeScans.verified?.since ?? .min
    let isWhole = !gaps.isOpen && gaps.uncertainUpTo.map { $0 <= since } == true
    let well =
      "it is whole since the last scan of everything began: who changes a file can be certain"
    switch stream.news(isWhole: isWhole) {
    case nil: break
    case .begins: log.write(.info, "stream: \(well)")
    case .isWhole: say("stream", [], well: well)
    case .lacks:
      let reason = gaps.newestReason ?? "it has no record"
      say("stream", ["\(reason): nobody is certain before everything was scanned"], well: "")
    }
  }
}

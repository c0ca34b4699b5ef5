import AudispatchPlugin
import Linux

/// How the plugin knows since when the stream is whole.
extension IntegrityPlugin {
  /// Says that no record is this host's, and when one has come.
  mutating func sayOwn() {
    guard stream.areAllOthers != (proving.said["node"]?.isEmpty == false) else { return }
    let finding =
      "every record has the name of another host, or may be another's: audit_node says what this one is "
      + "called, and hosts = own in its plugins.d file keeps others' out"
    say("node", stream.areAllOthers ? [finding] : [], well: "records of this host come")
  }

  /// Asks the kernel what it has lost; nothing is known of that without the helper.
  mutating func noteLosses() {
    let asked = WallClock.milliseconds
    stream.note(losses: helper?.losses(), askedAt: asked, scanned: scanning.newest)
  }

  /// Does what is due.
  mutating func proveStream(at now: Duration) throws {
    stream.markWhereDue(at: now, &log)
    if stream.isToBeLookedAt(at: now) {
      amendUncertain()
      sayStream()
    }
    if stream.wantsScan(at: now) { try scanAll() }
  }

  /// Says that something is lacking, and since when nothing is.
  mutating func sayStream() {
    let well =
      "it is whole since the last scan of everything began: who changes a file can be certain"
    guard let (news, reason) = stream.news(verified: scanning.verified) else { return }
    switch news {
    case .begins: log.write(.info, "stream: \(well)")
    case .isWhole: say("stream", [], well: well)
    case .lacks:
      say("stream", ["\(reason): nobody is certain before everything was scanned"], well: "")
    }
  }
}

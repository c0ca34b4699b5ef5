import AudispatchPlugin
import AuditRecord
import CAudit
import Linux

/// What the audit stream tells: who did what, and where something is lacking.
///
/// Its deadline is that of the marks and of the proof (`StreamProof`). The only thing it does is to have
/// marks written, on a thread of their own.
struct AuditStream {
  private var deeds = DeedStore()
  private var gaps: StreamGaps
  private var own: OwnRecords
  private var lag: StreamLag
  private var losses = KernelLosses()
  private var proof = StreamProof()
  /// Records that are written to see that they come back.
  private let marks = AuditRecords()
  private var saidOfMarks: String?

  init(_ options: IntegrityOptions) {
    gaps = StreamGaps(keys: options.auditKeys)
    own = Self.own(options)
    lag = StreamLag(from: WallClock.milliseconds)
  }

  private static func own(_ options: IntegrityOptions) -> OwnRecords {
    OwnRecords(node: options.auditNode, host: (try? NodeName.resolve(.hostname, name: nil)) ?? nil)
  }

  var deadline: Duration? { proof.deadline }

  // MARK: Reading

  /// It is read from now on.
  mutating func beginReading() { lag = StreamLag(from: WallClock.milliseconds) }

  /// Marks are written until the first record has come.
  mutating func beginMarks(at now: Duration) { proof.marks.begin(at: now) }

  mutating func reload(_ new: IntegrityOptions) {
    gaps.keys = new.auditKeys
    own = Self.own(new)
    proof.scans = ProofScans()
  }

  /// Whether an event is this host's.
  mutating func isOwn(_ event: AuditEvent) -> Bool { own.takes(event) }

  /// Whether all that came so far was of others.
  var areAllOthers: Bool { own.areAllOthers }

  /// Takes an event of this host.
  ///
  /// - Parameter scanned: when the newest scan of everything began.
  mutating func note(_ event: AuditEvent, scanned: Int64?) {
    lag.note(
      Int64(clamping: event.stamp.milliseconds), at: WallClock.milliseconds, MonotonicTime.now)
    gaps.note(event, at: WallClock.milliseconds)
    prove(scanned: scanned)
  }

  /// The deed that an event tells of, if it is one.
  mutating func deed(of event: AuditEvent) -> Deed? { deeds.take(event) }

  /// Nothing waits: what was done a moment ago would be here.
  mutating func listen() {
    gaps.listen(until: lag.reach(at: WallClock.milliseconds, MonotonicTime.now))
  }

  // MARK: What is lacking

  private mutating func prove(scanned: Int64?) {
    proof.note(gaps, scanned: scanned, at: MonotonicTime.now)
  }

  /// The kernel has all rules with that key.
  mutating func rulesAreThere(_ key: [UInt8], scanned: Int64?) {
    gaps.rulesAreThere(key, at: WallClock.milliseconds)
    prove(scanned: scanned)
  }

  /// What the kernel says that it has lost; `nil`: it cannot be asked.
  mutating func note(losses count: UInt32?, askedAt asked: Int64, scanned: Int64?) {
    losses.isKnown = count != nil
    guard let count,
      let gap = losses.note(count, asked: asked, answered: WallClock.milliseconds)
    else { return }
    gaps.lost(from: gap.from, to: gap.to)
    prove(scanned: scanned)
  }

  /// Writes a mark where one is due.
  mutating func markWhereDue(at now: Duration, _ log: inout PluginLog) {
    if proof.marks.next(at: now) {
      marks.write("op=integrity-mark", type: Int32(AUDIT_TRUSTED_APP), isGood: true)
    }
    // Without them silence is no proof.
    AuditRecords.say("marks into the stream", marks.figures.obstacle, &saidOfMarks, &log)
  }

  /// Whether it is to be looked now what is lacking of what was told.
  mutating func isToBeLookedAt(at now: Duration) -> Bool {
    guard let due = proof.lookAt, due <= now else { return false }
    proof.looked()
    return true
  }

  /// Whether everything is to be scanned because something was lacking.
  func wantsScan(at now: Duration) -> Bool { proof.scans.due.map { $0 <= now } == true }

  mutating func scanBegins() { proof.scans.begin() }

  mutating func scanHasEnded(isWhole: Bool, after duration: Duration, at now: Duration) {
    proof.scans.end(after: duration, at: now)
    if !isWhole { proof.scans.failed(at: now) }
  }

  /// What is new of whether anything is lacking, and what.
  ///
  /// - Parameter verified: since when everything is known by a scan.
  mutating func news(verified: Int64?) -> (news: StreamProof.News, reason: String)? {
    let isWhole =
      !gaps.isOpen && gaps.uncertainUpTo.map { $0 <= verified ?? .min } == true
    return proof.news(isWhole: isWhole).map { ($0, gaps.newestReason ?? "it has no record") }
  }

  /// Up to when something may have been done of which no record tells.
  var uncertainUpTo: Int64? { gaps.uncertainUpTo }

  // MARK: Who it was

  /// Who can have made a change, by all that has come.
  func attribution(of subject: Subject, keys: Set<[UInt8]>) -> Attribution {
    var all = gaps.all
    if let forgotten = deeds.forgottenUpTo {
      all.append(StreamGap(from: .min, to: forgotten, reason: "there were too many deeds to keep"))
    }
    return Attribution(of: subject, from: deeds.deeds(about: subject), gaps: all, keys: keys)
  }

  /// Takes what is missing in what was found.
  func doubt(_ attribution: inout Attribution, about subject: Subject) {
    attribution.doubt(gaps.all, about: subject)
  }

  /// How often a change is looked at again before it is told so.
  func tries(for attribution: Attribution, isFound: Bool) -> Int {
    lag.tries(for: attribution, isFound: isFound)
  }

  /// What is certain is so only if nothing is lost unseen: it is waited for a record that was made behind
  /// the change.
  ///
  /// - Parameter mayWait: whether it can be.
  /// - Returns: whether to wait.
  mutating func confirm(
    _ attribution: inout Attribution, of subject: Subject, mayWait: Bool
  ) -> Bool {
    if attribution.confidence == .exact, !losses.isKnown {
      attribution.doubt(StreamGaps.lossesUnknown)
    }
    guard attribution.confidence == .exact, !gaps.proves(subject.until) else { return false }
    if mayWait {
      proof.marks.want(at: MonotonicTime.now)
      return true
    }
    attribution.doubt(StreamGaps.silent)
    return false
  }

  /// What the watch of the files says beside it.
  func testimony(of witnesses: Set<Witness>, on attribution: inout Attribution) -> Testimony {
    let testimony = Testimony(of: witnesses, on: attribution, hasRecords: gaps.hasRecords)
    if testimony == .disagrees {
      attribution.doubt("the watch of the files saw somebody whom no record names")
    }
    return testimony
  }

  var figures: [(name: String, value: Int)] {
    [("marks_written", marks.figures.written), ("events_of_others", own.others)]
  }
}

extension Attribution {
  mutating func doubt(_ reason: String) {
    if confidence == .exact { confidence = .candidate }
    if !reasons.contains(reason) { reasons.append(reason) }
  }
}

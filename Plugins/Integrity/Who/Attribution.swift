import AudispatchPlugin
import AuditRecord

/// Who made a change, and how sure that is.
///
/// `exact`: the stream was complete between the two states, rules that are known to tell of
/// everybody were there, and every deed that can have made the change is of one author.
/// `candidate`: the authors are those who can have done it, and why it is not exact stands beside
/// them. `none`: nobody is known. Nobody is ever made up: what is not known is `Login.unknown`.
struct Attribution: Equatable, Sendable {
  enum Confidence: String, Sendable { case exact, candidate, none }

  struct Candidate: Equatable, Sendable {
    let author: Author
    /// Oldest first; at least one.
    var deeds: [Deed]
  }

  var confidence: Confidence
  /// In the order of their first deeds.
  var candidates: [Candidate]
  /// Why it is not exact.
  var reasons: [String]

  /// - Parameters:
  ///   - deeds: what was done to the subject, whenever, in any order.
  ///   - gaps: where the stream may have told less than there was.
  ///   - keys: of the rules that tell of everybody who can change it.
  init(of subject: Subject, from deeds: [Deed], gaps: [StreamGap], keys: Set<[UInt8]>) {
    let cause = Cause(subject, deeds)
    var candidates: [Candidate] = []
    for deed in cause.deeds {
      if let index = candidates.firstIndex(where: { $0.author == deed.author }) {
        candidates[index].deeds.append(deed)
      } else {
        candidates.append(Candidate(author: deed.author, deeds: [deed]))
      }
    }
    var reasons: [String] = []
    func note(_ reason: String) { if !reasons.contains(reason) { reasons.append(reason) } }
    if candidates.count > 1 { note("several can have done it") }
    if cause.clockWentBack { note("the clock was set back in between") }
    if candidates.contains(where: { $0.author.login == .unknown }) {
      note("a record has no login uid")
    }
    if cause.hasNameAlone { note("a record has the name alone, which another file may have") }
    if !cause.deeds.isEmpty, cause.mayBeHeld {
      note("somebody had it open before, of whom no record is known")
    }
    if !cause.deeds.isEmpty, !cause.deeds.contains(where: { !keys.isDisjoint(with: $0.keys) }) {
      note("no rule is known to tell of everybody (audit_key)")
    }
    if !cause.deeds.isEmpty, subject.mayHaveOtherNames(deeds) {
      note("it has names that are not watched, or had some, and no record tells who uses them")
    }
    for reason in cause.unexplained { note(reason) }
    let since = cause.clockWentBack ? .min : max(cause.since, subject.reading.since)
    for reason in Self.reasons(gaps, from: since, to: cause.until) { note(reason) }
    self.candidates = candidates
    self.reasons = reasons
    confidence = candidates.isEmpty ? .none : reasons.isEmpty ? .exact : .candidate
    if candidates.isEmpty, reasons.isEmpty { self.reasons = ["no record tells of it"] }
  }

  /// Takes what has turned out to be missing since it was found.
  mutating func doubt(_ gaps: [StreamGap], about subject: Subject) {
    let since = max(subject.since, subject.reading.since)
    let new = Self.reasons(gaps, from: since, to: subject.until).filter { !reasons.contains($0) }
    if new.isEmpty { return }
    reasons += new
    if confidence == .exact { confidence = .candidate }
  }

  private static func reasons(_ gaps: [StreamGap], from since: Int64, to until: Int64) -> [String] {
    let missing = gaps.filter { $0.from <= until && $0.to > since }
    let more = missing.count - 5
    return missing.prefix(5).map(\.reason) + (more > 0 ? ["\(more) more gaps"] : [])
  }

  /// The serials of the events to look up, oldest first.
  var stamps: [String] {
    candidates.flatMap(\.deeds).sorted { $0.stamp.serial < $1.stamp.serial }.map(\.stamp.text)
  }
}

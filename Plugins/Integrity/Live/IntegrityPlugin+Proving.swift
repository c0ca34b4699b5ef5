import AudispatchPlugin
import AuditRecord
import Glibc
import Linux

/// How the plugin knows that it is not blind: its rules, and the canary.
struct Proving {
  /// When the rules are looked at, and when the canary flies, next.
  var rulesAt = Duration.zero
  var canaryAt = Duration.zero
  var baselineAt = Duration.zero
  var canaries: [Canary] = []
  /// The maintenance window that was said to be open.
  var window: MaintenanceWindow?
  /// What was said last of each subject.
  var said: [String: [String]] = [:]

  /// Of many things that are wrong with one subject no more are named.
  static let mostFindings = 20
  /// How often the rules are looked at where nothing tells that they have changed.
  static let rulesEvery = Duration.seconds(60)
  /// How often it is looked whether the baseline is still the same one.
  static let baselineEvery = Duration.seconds(15)

  /// The next moment at which something is to be done.
  func deadline(_ options: IntegrityOptions) -> Duration? {
    var moments = [baselineAt]
    if options.loadsRules { moments.append(rulesAt) }
    if options.canary {
      moments.append(canaryAt)
      moments += canaries.filter(\.isRunning).map(\.deadline)
    }
    return moments.min()
  }
}

extension IntegrityPlugin {
  /// Begins anew with what is configured.
  mutating func beginProving() {
    let window = proving.window
    proving = Proving()
    proving.window = window
    guard options.canary else { return }
    for root in WatchRules.canaryRoots(of: options.policy) {
      let canary = Canary(in: root, login: helper?.login ?? options.canaryLogin)
      do throws(SystemError) {
        try CanarySteps.makeFolder(in: root, for: helper?.canaryUser ?? geteuid())
        watching.add(canary.folder, by: helper, &log)
        proving.canaries.append(canary)
      } catch { log.write(.error, "\(error): it is not proven that anything is told of it") }
    }
  }

  /// Those of the canary, as long as this process may make them.
  static func makeCanaryFolders(_ options: IntegrityOptions, _ helper: Helper?) {
    guard options.canary, let helper else { return }
    for root in WatchRules.canaryRoots(of: options.policy) {
      try? CanarySteps.makeFolder(in: root, for: helper.canaryUser)
    }
  }

  /// Does what is due.
  mutating func prove(at now: Duration) {
    if options.loadsRules, proving.rulesAt <= now {
      proving.rulesAt = now + Proving.rulesEvery
      checkRules()
    }
    if proving.baselineAt <= now {
      proving.baselineAt = now + Proving.baselineEvery
      checkBaseline()
      // What is asked for often is told with a short time.
      noteLosses()
    }
    guard options.canary else { return }
    for index in proving.canaries.indices {
      let canary = proving.canaries[index]
      if canary.isRunning, canary.isProven || canary.deadline <= now { conclude(index) }
    }
    if proving.canaryAt <= now {
      proving.canaryAt = now + .seconds(options.canaryEvery)
      for index in proving.canaries.indices where !proving.canaries[index].isRunning {
        proving.canaries[index].begin(at: now)
        fly(in: proving.canaries[index].folder.folder)
      }
    }
  }

  /// Looks at the rules at once when a record says that some have gone.
  mutating func noteRules(_ event: AuditEvent) {
    guard options.loadsRules, event.record(.configChange) != nil else { return }
    proving.rulesAt = MonotonicTime.now
  }

  private mutating func checkRules() {
    do throws(SystemError) {
      let keeper = HelperRules(helper: helper)
      let key = IntegrityOptions.ownKey
      let found = try coverage(keeper)
      var lines = found.problems
      if found.missingCount == 0 {
        stream.rulesAreThere(Array(key.utf8), scanned: scanning.newest)
      } else {
        var loaded = found
        // Whoever adds a rule looks at the place.
        loaded.missing = found.missing.filter { !watching.isSilent($0.key.path) }
        lines += loaded.load(keeper)
        let after = try coverage(keeper)
        lines += after.missingCount == 0 ? [] : after.lines.filter { !lines.contains($0) }
        let count = found.missingCount - after.missingCount
        if count > 0 {
          log.write(.notice, "\(TextReport.counted(count, "audit rule", "audit rules")) loaded")
        }
      }
      say("rules", lines, well: "every audit rule is there")
    } catch { say("rules", [error.description], well: "") }
  }

  private func coverage(_ keeper: HelperRules) throws(SystemError) -> Coverage {
    // A rule can be only where its folder is there, and answers.
    let linked = scanning.linked.filter {
      !watching.isSilent($0) && (try? Folder($0.folder.bytes)) != nil
    }
    return try Coverage.current(
      keeper, options.policy, key: IntegrityOptions.ownKey, linked: linked)
  }

  /// Goes on with another baseline that was put in its place, and says so if it is none of the chain.
  private mutating func checkBaseline() {
    do {
      if try known.isReplaced || known.isTouched() {
        known = try KnownStates(options.database, left: known.left)
        sayWhatWasAltered()
        if !known.problems.isEmpty { try scanAll() }
      }
      try sayMaintenance()
      if try known.goesOn() { return }
      let finding = "its chain lacks the head that it had: it was replaced, or set back"
      say("baseline", [finding], well: "")
      proving.said["baseline"] = nil
    } catch { say("baseline", ["\(error)"], well: "") }
  }

  /// Says what another program did to what was told already: it is told once more.
  mutating func sayWhatWasAltered() {
    if known.problems.isEmpty { return }
    say("seen", known.problems, well: "")
    proving.said["seen"] = nil
  }

  private mutating func conclude(_ index: Int) {
    let canary = proving.canaries[index]
    let root = canary.folder.folder
    var findings = canary.isProven ? [] : canary.findings
    // It has come back whole, or has had all the time there was.
    switch helper?.landing(in: root) ?? (canary.isProven ? .done : .failed) {
    case .done: break
    case .noLogin: findings = ["a process cannot be given a login uid, so that nothing is proven"]
    case .readOnly: findings = ["it is read-only: unproven"]
    case .notItsOwn:
      findings = [
        "its folder is not its user's, so that nothing is proven (run audispatch-integrity init, "
          + "and let the plugin have CAP_SETUID, CAP_SETGID and CAP_SETPCAP)"
      ]
    case .failed: if !canary.isProven { findings.append("the canary's steps failed") }
    }
    if !findings.isEmpty,
      let why = try? coverage(HelperRules(helper: helper))
    {
      findings += why.lines
    }
    proving.canaries[index].end()
    say("canary of \(root.shown)", findings, well: "everything that is done there comes back")
  }

  private mutating func fly(in root: FilePath) {
    guard let helper else {
      return log.write(.error, "the canary cannot fly: that needs CAP_AUDIT_CONTROL")
    }
    do throws(SystemError) { _ = try helper.ask(.fly(root)) } catch {
      log.write(.error, "the canary cannot fly: \(error)")
    }
  }

  /// Says that the helper has ended, and looks at everything anew when there is another one.
  mutating func lookAfterHelper() throws {
    guard let helper else { return }
    for news in helper.takeNews() {
      switch news {
      case .ended(let how):
        let without = "no rule and no canary is looked after, and no other folder can be watched"
        say("helper", ["it has ended (\(how)): until it is there again \(without)"], well: "")
      case .begun:
        say("helper", [], well: "it is there again, and everything is looked at anew")
        proving.rulesAt = .zero
        watchRoots()
        try scanAll()
      default: break
      }
    }
    guard helper.isGone else { return }
    flush()
    throw SystemError("go on without", "the helper", Errno(ECONNRESET))
  }

  /// Says that a maintenance window has begun, or is over.
  private mutating func sayMaintenance() throws {
    let now = WallClock.milliseconds
    let open = try known.windows().last { $0.covers(now) }
    guard open?.generation.number != proving.window?.generation.number else { return }
    if let before = proving.window { say(before, isBegun: false, now) }
    if let open { say(open, isBegun: true, now) }
    proving.window = open
  }

  private mutating func say(_ window: MaintenanceWindow, isBegun: Bool, _ now: Int64) {
    let word = isBegun ? "has begun" : "is over"
    log.write(.notice, "maintenance window \(window.generation.number) \(word)")
    telling.alert(ToldEvent(window, isBegun: isBegun, telling.format, at: now))
  }

  /// Says what is wrong, what is new of it, and when nothing is any more; as an event too.
  mutating func say(_ subject: String, _ findings: [String], well: String) {
    let before = proving.said[subject]
    guard before != findings else { return }
    proving.said[subject] = findings
    let known = Set(before ?? [])
    var new = findings.filter { !known.contains($0) }
    // Less is wrong than before.
    if new.isEmpty { new = findings }
    let more = new.count - Proving.mostFindings
    if more > 0 { new = new.prefix(Proving.mostFindings) + ["\(more) more of that"] }
    for finding in new { log.write(.error, "\(subject): \(finding)") }
    if findings.isEmpty { log.write(.info, "\(subject): \(well)") }
    telling.record(subject, new)
    telling.alert(
      ToldEvent(subject, new, well: well, telling.format, at: WallClock.milliseconds))
  }
}

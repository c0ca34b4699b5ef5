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
  var processes: [CanaryProcess] = []
  /// What was said last of each subject.
  var said: [String: [String]] = [:]

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

/// A canary that flies.
final class CanaryProcess {
  let root: FilePath
  private let child: ChildProcess

  init(_ canary: Canary) throws {
    root = canary.folder.folder
    let program = try Files.resolved("/proc/self/exe")
    let input = try Descriptor.open("/dev/null", O_RDWR)
    child = try ChildProcess(
      path: program,
      arguments: [
        CanarySteps.word, String(decoding: canary.folder.bytes, as: UTF8.self),
        String(canary.login),
      ], environment: [], input: input.number, output: input.number, error: input.number)
  }

  /// `nil` while it flies.
  func end() -> CanarySteps.End? {
    guard let end = child.reap() else { return nil }
    if case .exit(let code) = end { return CanarySteps.End(rawValue: code) ?? .failed }
    return .failed
  }
}

extension IntegrityPlugin {
  /// Begins anew with what is configured.
  mutating func beginProving() {
    proving = Proving()
    guard options.canary else { return }
    let places = WatchRules.places(of: options.policy).filter(\.isFolder).map(\.path)
    for root in options.policy.roots where places.contains(root) {
      let canary = Canary(in: root, login: options.canaryLogin)
      do throws(SystemError) {
        try CanarySteps.makeFolder(in: root)
        watchFolder(canary.folder)
        proving.canaries.append(canary)
      } catch { log.write(.error, "\(error): it is not proven that anything is told of it") }
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
    }
    guard options.canary else { return }
    for index in proving.canaries.indices {
      let canary = proving.canaries[index]
      if canary.isRunning, canary.isProven || canary.deadline <= now { conclude(index) }
    }
    if proving.canaryAt <= now {
      proving.canaryAt = now + .seconds(options.canaryEvery)
      for index in proving.canaries.indices where !proving.canaries[index].isRunning {
        do {
          proving.canaries[index].begin(at: now)
          proving.processes.append(try CanaryProcess(proving.canaries[index]))
        } catch { log.write(.error, "the canary cannot fly: \(error)") }
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
      let control = try AuditControl()
      let key = IntegrityOptions.ownKey
      let found = try Coverage.current(control, options.policy, key: key)
      var lines = found.problems
      if !found.missing.isEmpty {
        lines += found.load(control)
        let after = try Coverage.current(control, options.policy, key: key)
        lines += after.missing.isEmpty ? [] : after.lines.filter { !lines.contains($0) }
        let count =
          found.missing.values.reduce(0) { $0 + $1.count }
          - after.missing.values.reduce(0) { $0 + $1.count }
        if count > 0 {
          log.write(.notice, "\(TextReport.counted(count, "audit rule", "audit rules")) loaded")
        }
      }
      say("rules", lines, well: "every audit rule is there")
    } catch { say("rules", [error.description], well: "") }
  }

  /// Goes on with another baseline that was put in its place, and says so if it is none of the chain.
  private mutating func checkBaseline() {
    do {
      if known.isReplaced { known = try KnownStates(options.database) }
      if try known.goesOn() { return }
      let finding = "its chain lacks the head that it had: it was replaced, or set back"
      say("baseline", [finding], well: "")
      proving.said["baseline"] = nil
    } catch { say("baseline", ["\(error)"], well: "") }
  }

  private mutating func conclude(_ index: Int) {
    let canary = proving.canaries[index]
    let root = canary.folder.folder
    var findings = canary.isProven ? [] : canary.findings
    var end = CanarySteps.End.failed
    if let place = proving.processes.firstIndex(where: { $0.root == root }) {
      // It has come back whole, or has had all the time there was.
      end = proving.processes[place].end() ?? (canary.isProven ? .done : .failed)
      proving.processes.remove(at: place)
    }
    switch end {
    case .done: break
    case .noLogin: findings = ["a process cannot be given a login uid, so that nothing is proven"]
    case .readOnly: findings = ["it is read-only: unproven"]
    case .failed: if !canary.isProven { findings.append("the canary's steps failed") }
    }
    if !findings.isEmpty,
      let why = try? Coverage.current(
        AuditControl(), options.policy, key: IntegrityOptions.ownKey)
    {
      findings += why.lines
    }
    proving.canaries[index].end()
    say("canary of \(root.shown)", findings, well: "everything that is done there comes back")
  }

  /// Says what is wrong, and when it is no more; as an event too.
  private mutating func say(_ subject: String, _ findings: [String], well: String) {
    let before = proving.said[subject]
    guard before != findings else { return }
    proving.said[subject] = findings
    for finding in findings { log.write(.error, "\(subject): \(finding)") }
    if findings.isEmpty { log.write(.info, "\(subject): \(well)") }
    switch options.format {
    case .json:
      output.line(JSONReport.line(subject, findings, at: WallClock.milliseconds))
    case .text:
      for finding in findings { output.line("blind    \(subject): \(finding)") }
      if findings.isEmpty { output.line("sees     \(subject): \(well)") }
    }
  }
}

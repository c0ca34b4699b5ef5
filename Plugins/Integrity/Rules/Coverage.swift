import AudispatchPlugin
import Glibc
import Linux

/// Whether the rules are there, and whether anything keeps them from telling what they should.
struct Coverage: Equatable, Sendable {
  /// Rules that are not there, by place.
  var missing: [WatchRules.Place: [AuditRule]] = [:]
  /// Of those that are of no place.
  var missingUnnamed: [AuditRule] = []
  /// What keeps them from telling, as sentences.
  var problems: [String] = []

  var isWhole: Bool { missingCount == 0 && problems.isEmpty }

  var missingCount: Int { missing.values.reduce(missingUnnamed.count) { $0 + $1.count } }

  /// - Parameters:
  ///   - rules: all that the kernel has, in its order.
  ///   - enabled: 0, 1, or 2 for locked; `nil` where that could not be asked for.
  init(
    of places: [WatchRules.Place], key: String, among rules: [AuditRule], enabled: UInt32?,
    roots: [FilePath] = []
  ) {
    for place in places {
      let absent = WatchRules.rules(for: place, key: key).filter { !rules.contains($0) }
      if !absent.isEmpty { missing[place] = absent }
    }
    missingUnnamed = WatchRules.unnamed(key: key).filter { !rules.contains($0) }
    for root in roots where !places.contains(where: { $0.path == root }) {
      problems.append("\(root.shown) is not there: nothing tells when it comes")
    }
    switch enabled {
    case 0: problems.append("audit is disabled (auditctl -e 1)")
    case 2 where missingCount > 0:
      problems.append("audit is locked until the next boot: no rule can be added")
    case nil: problems.append("the state of audit cannot be asked for")
    default: break
    }
    let isTask: (AuditRule) -> Bool = { $0.list == AuditRule.List.task.rawValue && $0.action == 0 }
    if rules.contains(where: isTask) {
      problems.append("a rule 'never,task' keeps programs from being audited at all")
    }
    let ours = Array(key.utf8)
    if let last = rules.lastIndex(where: { $0.key == ours }) {
      let hides = rules[..<last].contains {
        $0.list == AuditRule.List.exit.rawValue && $0.action == 0
      }
      if hides { problems.append("a rule 'never,exit' stands in front of ours") }
    }
  }

  /// For a person, a line each.
  var lines: [String] {
    func line(_ rules: [AuditRule], _ what: String) -> String {
      "\(TextReport.counted(rules.count, "rule", "rules")) of \(what) missing"
    }
    let places = missing.sorted { $0.key.path < $1.key.path }
    return places.map { line($1, $0.path.shown) }
      + (missingUnnamed.isEmpty ? [] : [line(missingUnnamed, "chattr(1) and fs-verity")]) + problems
  }

  /// What no rule of the kernel tells, whatever is loaded.
  static let never = [
    "which file chattr(1) and fs-verity changed: their records name none, but who it was",
    "times that are set through a descriptor: what opened it is told if that was for writing",
    "writing into memory that a file is mapped to: the opening alone is told",
    "a file's other names outside of what is watched, but for \(LinkedFiles.most) files that a scan of "
      + "the plugin has found to have some",
    "what other hosts, the kernel itself and raw devices change",
  ]
}

extension Coverage {
  /// As it is now.
  static func current(
    _ keeper: borrowing some RuleKeeper & ~Copyable, _ policy: Policy, key: String,
    linked: [FilePath] = []
  ) throws(SystemError) -> Coverage {
    let (rules, enabled) = try keeper.state()
    return Coverage(
      of: WatchRules.places(of: policy, linked: linked), key: key, among: rules, enabled: enabled,
      roots: policy.roots)
  }

  /// Loads what is missing; says what could not be.
  func load(_ keeper: borrowing some RuleKeeper & ~Copyable) -> [String] {
    var failures: [String] = []
    let unnamed = ("chattr(1) and fs-verity", missingUnnamed)
    for (what, rules) in missing.map({ ($0.path.shown, $1) }) + [unnamed] {
      for rule in rules {
        do throws(Errno) { try keeper.add(rule) } catch {
          // Kernels before 5.16 have no rules for io_uring.
          let isUring = rule.list == AuditRule.List.uring.rawValue
          failures.append(
            isUring && error == .invalidArgument
              ? "\(what): this kernel tells nothing of io_uring"
              : "\(what): a rule cannot be added: \(error)")
        }
      }
    }
    return Array(Set(failures)).sorted()
  }
}

import Configuration

/// One line of the configuration: what is done with the paths that a pattern names.
struct PolicyRule: Equatable, Sendable {
  enum Effect: Equatable, Sendable {
    case watch(AttributeSet, Severity)
    case ignore
  }

  let pattern: PathPattern
  let effect: Effect
  /// Whether what is below a folder is meant too.
  let isRecursive: Bool
  /// Where it stands: `/etc/audispatch/integrity.conf:12`.
  let place: String
}

/// Which files are watched, and for what. **The last rule that names a path decides**, so the
/// general comes first and what departs from it after.
struct Policy: Equatable, Sendable {
  var rules: [PolicyRule] = []

  /// What is to be done with a path.
  struct Decision: Equatable, Sendable {
    /// The rule that decides; `nil` where none names the path.
    var rule: Int?
    /// Whether anything below the path may be watched.
    var leadsOn: Bool
  }

  func decision(for path: FilePath) -> Decision {
    let components = path.components
    var decision = Decision(rule: nil, leadsOn: false)
    for (index, rule) in rules.enumerated() {
      switch rule.pattern.relation(to: components) {
      case .exactly:
        decision.rule = index
        if rule.isRecursive { decision.leadsOn = rule.watches }
      case .within where rule.isRecursive: decision = Decision(rule: index, leadsOn: rule.watches)
      case .above where rule.watches: decision.leadsOn = true
      default: break
      }
    }
    return decision
  }

  /// What is watched of a path; `nil` when it is not.
  func watched(_ path: FilePath) -> (attributes: AttributeSet, severity: Severity)? {
    decision(for: path).rule.flatMap { watched(by: $0) }
  }

  func watched(by rule: Int) -> (attributes: AttributeSet, severity: Severity)? {
    if case .watch(let attributes, let severity) = rules[rule].effect {
      return (attributes, severity)
    }
    return nil
  }

  /// All rules that name a path, in their order: the last one decides.
  func rules(naming path: FilePath) -> [PolicyRule] {
    let components = path.components
    return rules.filter { rule in
      switch rule.pattern.relation(to: components) {
      case .exactly: true
      case .within: rule.isRecursive
      case .above, .apart: false
      }
    }
  }

  /// Where scans begin: no root is below another.
  var roots: [FilePath] {
    let all = rules.filter(\.watches).map { FilePath($0.pattern.root) }.sorted()
    return all.reduce(into: []) { roots, path in
      if !roots.contains(where: path.isWithin) { roots.append(path) }
    }
  }

  /// The attributes of a path, if nothing that is in the folder is decided apart from the others:
  /// then no name needs to be looked at. `nil`: each is to be asked for.
  func sameForAll(in folder: FilePath) -> Decision? {
    let components = folder.components
    var decision = Decision(rule: nil, leadsOn: false)
    for (index, rule) in rules.enumerated() {
      switch rule.pattern.relation(to: components) {
      case .exactly where rule.isRecursive, .within where rule.isRecursive:
        decision = Decision(rule: index, leadsOn: rule.watches)
      case .above: return nil
      default: break
      }
    }
    return decision
  }
}

extension PolicyRule {
  var watches: Bool { if case .watch = effect { true } else { false } }
}

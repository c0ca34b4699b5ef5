/// Labels that processes get, what is passed on, and which events are left out.
public struct LabelRules: Equatable, Sendable {
  /// What a rule looks at.
  public enum Subject: String, CaseIterable, Sendable { case executable, arguments, script }

  struct Rule: Equatable, Sendable {
    var subject: Subject
    var pattern: Pattern
    var label: UInt16
    var removes: Bool
  }

  /// Different labels, which rules name.
  public static let most = 1024

  public private(set) var names: [[UInt8]] = []
  private(set) var rules: [Rule] = []
  private(set) var passedOn: Set<UInt16> = []
  private(set) var filtered: Set<UInt16> = []
  private var labelOfKey: [[UInt8]: UInt16] = [:]
  private var filteredKeys: Set<[UInt8]> = []
  /// Whether events without a rule's key are left out.
  public var filtersWithoutKey = false

  public init() {}

  /// Whether anything follows from labels or keys.
  public var isEmpty: Bool {
    names.isEmpty && filteredKeys.isEmpty && !filtersWithoutKey
  }

  /// The place of a label; `nil` when there are too many.
  private mutating func place(of name: [UInt8]) -> UInt16? {
    if let place = names.firstIndex(of: name) { return UInt16(place) }
    guard names.count < Self.most else { return nil }
    names.append(name)
    return UInt16(names.count - 1)
  }

  /// - Returns: whether there was room; so do the others.
  @discardableResult
  public mutating func add(
    _ label: [UInt8], where subject: Subject, matches pattern: Pattern, removes: Bool = false
  ) -> Bool {
    guard let place = place(of: label), rules.count < 4096 else { return false }
    rules.append(Rule(subject: subject, pattern: pattern, label: place, removes: removes))
    return true
  }

  @discardableResult
  public mutating func label(key: [UInt8]) -> Bool {
    guard let place = place(of: key) else { return false }
    labelOfKey[key] = place
    return true
  }

  @discardableResult
  public mutating func passOn(_ label: [UInt8]) -> Bool {
    guard let place = place(of: label) else { return false }
    passedOn.insert(place)
    return true
  }

  @discardableResult
  public mutating func filter(label: [UInt8]) -> Bool {
    guard let place = place(of: label) else { return false }
    filtered.insert(place)
    return true
  }

  public mutating func filter(key: [UInt8]) { filteredKeys.insert(key) }

  /// What a child begins with, and what stays behind an exec.
  func inherited(_ labels: [UInt16]) -> [UInt16] { labels.filter { passedOn.contains($0) } }

  /// The labels behind an exec.
  func atExec(
    _ before: [UInt16], executable: [UInt8], arguments: @autoclosure () -> [UInt8],
    script: [UInt8]
  ) -> [UInt16] {
    guard !rules.isEmpty else { return before }
    let arguments = arguments()
    var labels = Set(before)
    for removes in [false, true] {
      for rule in rules where rule.removes == removes {
        let text: [UInt8]
        switch rule.subject {
        case .executable: text = executable
        case .arguments: text = arguments
        case .script: text = script
        }
        guard !text.isEmpty, rule.pattern.matches(text) else { continue }
        if removes { labels.remove(rule.label) } else { labels.insert(rule.label) }
      }
    }
    return labels.sorted()
  }

  /// The labels that the keys of an event put on its process.
  func adding(_ keys: [[UInt8]], to labels: [UInt16]) -> [UInt16] {
    let more = keys.compactMap { labelOfKey[$0] }.filter { !labels.contains($0) }
    return more.isEmpty ? labels : Set(labels + more).sorted()
  }

  var hasKeys: Bool { !labelOfKey.isEmpty || !filteredKeys.isEmpty || filtersWithoutKey }

  /// Whether an event is left out. One that no rule of the kernel's made has no key either, and is
  /// not meant by `filtersWithoutKey` unless it is a system call.
  func leavesOut(keys: [[UInt8]], labels: [UInt16], isCall: Bool) -> Bool {
    if !filtered.isDisjoint(with: labels) { return true }
    if filtersWithoutKey, isCall, keys.isEmpty { return true }
    return keys.contains { filteredKeys.contains($0) }
  }
}

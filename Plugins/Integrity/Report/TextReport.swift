/// What changed, for a person at a terminal.
enum TextReport {
  /// A line for the path, and one for each attribute that differs.
  ///
  ///     changed  high      /etc/passwd
  ///       size    3287 -> 3310
  static func lines(_ change: StateChange) -> [String] {
    var lines = [
      "\(padded(change.kind.rawValue, 8)) \(padded(change.severity.rawValue, 9))"
        + change.path.shown + kindText(change)
    ]
    for (name, attribute) in AttributeSet.names where change.attributes.contains(attribute) {
      let before = change.before?.text(of: attribute) ?? "none"
      let after = change.after?.text(of: attribute) ?? "none"
      lines.append("  \(padded(name, 7)) \(before) -> \(after)")
    }
    if change.after?.isUnstable == true { lines.append("  it went on changing while it was read") }
    lines += (change.after?.unread ?? []).map { "  not read: \($0)" }
    return lines
  }

  private static func kindText(_ change: StateChange) -> String {
    guard change.kind != .changed, let state = change.after ?? change.before else { return "" }
    return " (\(state.type.rawValue))"
  }

  /// Every attribute of a state that has a value.
  static func lines(_ state: FileState) -> [String] {
    var lines = AttributeSet.names.compactMap { name, attribute in
      state.text(of: attribute).map { "\(padded(name, 7)) \($0)" }
    }
    if state.isUnstable { lines.append("it went on changing while it was read") }
    return lines + state.unread.map { "not read: \($0)" }
  }

  static func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }

  static func counted(_ count: Int, _ one: String, _ many: String) -> String {
    "\(count) \(count == 1 ? one : many)"
  }
}

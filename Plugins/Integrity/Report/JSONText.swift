import AudispatchPlugin

/// One line of JSON. What it writes is valid UTF-8 whatever the values are.
struct JSONText {
  private(set) var text = ""

  mutating func object(_ members: (inout JSONText) -> Void) {
    text += "{"
    members(&self)
    text += "}"
  }

  mutating func object(_ name: String, _ members: (inout JSONText) -> Void) {
    key(name)
    object(members)
  }

  mutating func array(_ name: String, _ values: [String]) {
    key(name)
    text += "[" + values.map { Self.quoted(Array($0.utf8)) }.joined(separator: ",") + "]"
  }

  mutating func array(_ name: String, bytes values: [[UInt8]]) {
    key(name)
    text += "[" + values.map { Self.quoted($0) }.joined(separator: ",") + "]"
  }

  mutating func objects<Value>(
    _ name: String, _ values: [Value], _ members: (Value, inout JSONText) -> Void
  ) {
    key(name)
    text += "["
    for (index, value) in values.enumerated() {
      if index > 0 { text += "," }
      object { members(value, &$0) }
    }
    text += "]"
  }

  mutating func member(_ name: String, _ value: String) {
    key(name)
    text += Self.quoted(Array(value.utf8))
  }

  mutating func member(_ name: String, bytes: [UInt8]) {
    key(name)
    text += Self.quoted(bytes)
  }

  mutating func member(_ name: String, _ value: Int) {
    key(name)
    text += String(value)
  }

  mutating func member(_ name: String, _ value: Bool) {
    key(name)
    text += value ? "true" : "false"
  }

  private mutating func key(_ name: String) {
    if text.last != "{" { text += "," }
    text += "\"\(name)\":"
  }

  /// `SafeText` has an escape for all that is not plain; its backslashes are JSON's to escape.
  private static func quoted(_ bytes: [UInt8]) -> String {
    var escaped = "\""
    for character in SafeText.escaped(bytes).unicodeScalars {
      if character == "\\" || character == "\"" { escaped += "\\" }
      escaped.unicodeScalars.append(character)
    }
    return escaped + "\""
  }
}

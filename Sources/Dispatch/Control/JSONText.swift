import Linux

/// JSON text, put together without a library: the daemon has no Foundation.
struct JSONText {
  private(set) var text = ""
  private var needsComma = false

  mutating func object(_ key: String? = nil, _ body: (inout JSONText) -> Void) {
    nest(key, "{", "}", body)
  }

  mutating func array(_ key: String, _ body: (inout JSONText) -> Void) {
    nest(key, "[", "]", body)
  }

  mutating func field(_ key: String, _ value: String) { put(key, Self.quoted(value)) }
  mutating func field(_ key: String, _ value: some BinaryInteger) { put(key, String(value)) }
  mutating func field(_ key: String, _ value: Bool) { put(key, value ? "true" : "false") }

  private mutating func put(_ key: String?, _ value: String) {
    if needsComma { text += "," }
    if let key { text += Self.quoted(key) + ":" }
    text += value
    needsComma = true
  }

  private mutating func nest(
    _ key: String?, _ open: String, _ close: String, _ body: (inout JSONText) -> Void
  ) {
    put(key, open)
    needsComma = false
    body(&self)
    text += close
    needsComma = true
  }

  private static func quoted(_ value: String) -> String {
    var text = "\""
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\t": text += "\\t"
      case _ where scalar.value < 0x20:
        text += "\\u" + padded(String(scalar.value, radix: 16), to: 4)
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text + "\""
  }
}

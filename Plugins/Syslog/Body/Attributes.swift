import EventDocument
import SyslogSending

/// The attributes of a CEF or LEEF body, which are written whole, with shorter values, or not.
struct Attributes {
  struct Attribute {
    /// Names with their values, which belong together: a value and its label.
    var pairs: [(name: StaticString, value: [UInt8])]
    /// The most bytes of a value, by the format's dictionary.
    var limit: Int
    var kind: Kind
  }

  enum Kind {
    /// Bytes of any kind.
    case bytes
    /// Text that is made for people, with escapes of its own.
    case sentence
    /// Never cut.
    case number
  }

  private(set) var all: [Attribute] = []

  /// Adds a text that there is.
  mutating func add(_ name: StaticString, _ value: [UInt8]?, atMost limit: Int = .max) {
    guard let value, !value.isEmpty else { return }
    all.append(Attribute(pairs: [(name, value)], limit: limit, kind: .bytes))
  }

  mutating func add(_ name: StaticString, sentence: [UInt8], atMost limit: Int = .max) {
    all.append(Attribute(pairs: [(name, sentence)], limit: limit, kind: .sentence))
  }

  /// Adds a text with a label that says what it is.
  mutating func add(
    _ name: StaticString, labelled label: StaticString, _ text: String, _ value: [UInt8]?,
    atMost limit: Int
  ) {
    guard let value, !value.isEmpty else { return }
    all.append(
      Attribute(pairs: [(label, Array(text.utf8)), (name, value)], limit: limit, kind: .bytes))
  }

  /// Adds a number, if it is one.
  mutating func add(_ name: StaticString, number value: [UInt8]?) {
    guard let value, Self.isNumber(value) else { return }
    all.append(Attribute(pairs: [(name, value)], limit: .max, kind: .number))
  }

  mutating func add(
    _ name: StaticString, labelled label: StaticString, _ text: String, number value: [UInt8]?
  ) {
    guard let value, Self.isNumber(value) else { return }
    all.append(
      Attribute(pairs: [(label, Array(text.utf8)), (name, value)], limit: .max, kind: .number))
  }

  private static func isNumber(_ value: [UInt8]) -> Bool {
    !value.isEmpty && value.count <= 20 && value.allSatisfy { $0 &- 0x30 < 10 }
  }

  /// Writes a body in at most `limit` bytes: its head, and the attributes with a separator between
  /// them. Values are cut where that is enough; else the first attributes are written that fit.
  ///
  /// - Parameters:
  ///   - head: what stands in front, in so many bytes if it can be.
  ///   - append: writes a value of at most so many bytes.
  func write(
    _ limit: Int, separator: UInt8, head: (Int) -> [UInt8],
    _ append: (_ value: [UInt8], _ kind: Kind, _ limit: Int, _ text: inout [UInt8]) -> Void
  ) -> [UInt8] {
    func written(_ attribute: Attribute, _ step: Int) -> [UInt8] {
      var text: [UInt8] = []
      for (index, (name, value)) in attribute.pairs.enumerated() {
        if index > 0 { text.append(separator) }
        text += "\(name)=".utf8
        // Room for the mark: a value that only just fits is not cut.
        let cut = min(attribute.limit, step == .max ? step : step + 24)
        append(value, attribute.kind, attribute.kind == .number ? .max : cut, &text)
      }
      return text
    }
    for step in ValueLimits.steps {
      let parts = [head(.max)] + all.map { written($0, step) }
      let body = Array(parts.joined(separator: [separator]))
      if body.count <= limit { return body }
    }
    var body = head(limit)
    for attribute in all {
      let text = written(attribute, 32)
      if body.count + 1 + text.count <= limit { body += [separator] + text }
    }
    MessageCut.cut(&body, to: limit)
    return body
  }
}

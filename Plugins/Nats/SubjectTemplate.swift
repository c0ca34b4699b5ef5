import AudispatchPlugin
import Configuration

/// What subjects are made of: `audit.{node}.{action}`.
///
/// Each placeholder becomes one token, whatever the event holds: nothing in an event can make a
/// subject of another form.
struct SubjectTemplate: Equatable, Sendable {
  enum Part: Equatable, Sendable {
    case text(String)
    case node
    case action
    case type
    case key
  }

  /// What stands for what an event does not have.
  static let nothing = "_"
  private static let longestToken = 64

  let text: String
  private let parts: [Part]

  init(_ word: Word) throws(Diagnostic) {
    var parts: [Part] = []
    for token in word.text.split(separator: ".", omittingEmptySubsequences: false) {
      switch token {
      case "{node}": parts.append(.node)
      case "{action}": parts.append(.action)
      case "{type}": parts.append(.type)
      case "{key}": parts.append(.key)
      default:
        guard !token.isEmpty, token == Self.clean(Array(token.utf8))[...] else {
          throw word.error(
            "a subject has tokens of letters, digits, '-' and '_' with dots between, or {node}, "
              + "{action}, {type}, {key}")
        }
        parts.append(.text(String(token)))
      }
    }
    self.init(text: word.text, parts: parts)
  }

  private init(text: String, parts: [Part]) {
    self.text = text
    self.parts = parts
  }

  static let standard = SubjectTemplate(
    text: "audit.{node}.{action}", parts: [.text("audit"), .node, .action])

  var hasNode: Bool { parts.contains(.node) }
  var needsOutline: Bool { parts.contains(.action) || parts.contains(.key) }

  /// What the parts of one event are.
  struct Values: Equatable {
    var node: [UInt8] = []
    var action: [UInt8] = []
    var type: [UInt8] = []
    var key: [UInt8] = []
  }

  func subject(_ values: Values) -> String {
    joined { part in
      switch part {
      case .text(let text): text
      case .node: Self.clean(values.node)
      case .action: Self.clean(values.action)
      case .type: Self.clean(values.type)
      case .key: Self.clean(values.key)
      }
    }
  }

  /// All subjects of a node, or of every node.
  func wildcard(node: [UInt8]?) -> String {
    joined { part in
      switch part {
      case .text(let text): text
      case .node: node.map { Self.clean($0) } ?? "*"
      case .action, .type, .key: "*"
      }
    }
  }

  private func joined(_ token: (Part) -> String) -> String {
    parts.map(token).joined(separator: ".")
  }

  /// A token: what is not allowed in one is `_`, as the dots of a host's name are.
  static func clean(_ bytes: [UInt8]) -> String {
    guard !bytes.isEmpty else { return nothing }
    let clean = bytes.prefix(longestToken).map { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
        byte
      default: UInt8(ascii: "_")
      }
    }
    return String(decoding: clean, as: UTF8.self)
  }
}

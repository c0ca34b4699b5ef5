public import Configuration

/// What subjects and topics are made of: `audit.{node}.{action}`.
///
/// Each placeholder becomes one token, whatever the event holds: nothing in an event can make a
/// subject of another form.
public struct SubjectTemplate: Equatable, Sendable {
  private enum Part: Equatable, Sendable {
    case text(String)
    case node
    case action
    case type
    case key
  }

  /// What stands for what an event does not have.
  public static let nothing = "_"
  private static let longestToken = 64

  public let text: String
  private let parts: [Part]

  /// - Parameter what: what it is called where it is none.
  public init(_ word: Word, as what: String = "subject") throws(Diagnostic) {
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
            "a \(what) has tokens of letters, digits, '-' and '_' with dots between, or {node}, "
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

  /// One subject for all, which is a token.
  public static func only(_ token: String) -> SubjectTemplate {
    precondition(token == clean(Array(token.utf8)), "a subject is no token")
    return SubjectTemplate(text: token, parts: [.text(token)])
  }

  public static let standard = SubjectTemplate(
    text: "audit.{node}.{action}", parts: [.text("audit"), .node, .action])

  public var hasNode: Bool { parts.contains(.node) }
  public var needsOutline: Bool { parts.contains(.action) || parts.contains(.key) }
  /// Whether a node has one subject only.
  public var isOfNode: Bool {
    parts.allSatisfy { part in
      switch part {
      case .text, .node: true
      case .action, .type, .key: false
      }
    }
  }

  /// What the parts of one event are.
  public struct Values: Equatable, Sendable {
    public var node: [UInt8]
    public var action: [UInt8]
    public var type: [UInt8]
    public var key: [UInt8]

    public init(
      node: [UInt8] = [], action: [UInt8] = [], type: [UInt8] = [], key: [UInt8] = []
    ) {
      self.node = node
      self.action = action
      self.type = type
      self.key = key
    }
  }

  public func subject(_ values: Values) -> String {
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
  public func wildcard(node: [UInt8]?) -> String {
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
  public static func clean(_ bytes: [UInt8]) -> String {
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

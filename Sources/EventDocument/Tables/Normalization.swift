/// What a system call or a type of record stands for: which action on what, and in which category
/// of the Elastic Common Schema; and where the event says by whom and on what.
///
/// The tables are lines of six columns:
///
///     NAME … | ACTION | OBJECT[:PATH] | CATEGORY … | TYPE … | WHERE=FIELD,… …
///
/// OBJECT is a kind of thing; PATH the number of the PATH record at which the search for it begins.
/// WHERE is one of `primary` and `secondary` (of the object), `who` and `as` (the actor), `how`,
/// `source` (an address), `has` (the line counts only for records with these fields, and with this
/// value of one that is written `FIELD:VALUE`), `kind` and `map` (`FROM>TO`, by which users and groups
/// are filled). The first field that is there counts.
final class Normalization: Sendable {
  enum From: Sendable {
    case actor, actingAs, object
    /// An identity of the process, by its name.
    case identity([UInt8])
  }

  enum To: String, Sendable {
    case user
    case effective = "user.effective"
    case target = "user.target"
    case changes = "user.changes"
    case group
  }

  struct Requirement: Equatable, Sendable {
    let field: [UInt8]
    /// `nil`: any.
    let value: [UInt8]?
  }

  let names: [String]
  let action: [UInt8]
  let object: [UInt8]
  let pathIndex: Int
  let isFile: Bool
  let isSocket: Bool
  let kind: [UInt8]
  let categories: [[UInt8]]
  let types: [[UInt8]]
  let primary: [[UInt8]]
  let secondary: [[UInt8]]
  let actor: [[UInt8]]
  let actingAs: [[UInt8]]
  let how: [[UInt8]]
  let source: [[UInt8]]
  let required: [Requirement]
  let mappings: [(from: From, to: To)]

  init(_ line: Substring) {
    let columns = line.split(separator: "|", omittingEmptySubsequences: false).map { column in
      column.split(separator: " ")
    }
    precondition(columns.count == 6, "a normalization has six columns: \(line)")
    func bytes(_ words: [Substring]) -> [[UInt8]] { words.map { Array($0.utf8) } }
    names = columns[0].map(String.init)
    action = bytes(columns[1]).first ?? []
    let what = (columns[2].first ?? "").split(separator: ":")
    object = what.first.map { Array($0.utf8) } ?? []
    pathIndex = what.count > 1 ? Int(what[1]) ?? 0 : 0
    isFile = what.first == "file" || what.first == "filesystem"
    isSocket = what.first == "socket"
    categories = bytes(columns[3])
    types = bytes(columns[4])
    var places: [Substring: [Substring]] = [:]
    for word in columns[5] {
      guard let equals = word.firstIndex(of: "=") else {
        preconditionFailure("a normalization's place has a value: \(line)")
      }
      let list = word[word.index(after: equals)...]
      places[word[..<equals]] = list.split(separator: ",")
    }
    func fields(_ name: Substring) -> [[UInt8]] { bytes(places.removeValue(forKey: name) ?? []) }
    kind = fields("kind").first ?? []
    primary = fields("primary")
    secondary = fields("secondary")
    actor = fields("who")
    actingAs = fields("as")
    how = fields("how")
    source = fields("source")
    required = fields("has").map { word in
      let parts = word.split(separator: UInt8(ascii: ":"), maxSplits: 1).map(Array.init)
      return Requirement(field: parts[0], value: parts.count > 1 ? parts[1] : nil)
    }
    mappings = (places.removeValue(forKey: "map") ?? []).map { Self.mapping($0, line) }
    precondition(places.isEmpty, "a normalization has an unknown place: \(line)")
  }

  private static func mapping(_ text: Substring, _ line: Substring) -> (from: From, to: To) {
    let ends = text.split(separator: ">")
    guard ends.count == 2, let to = To(rawValue: String(ends[1])) else {
      preconditionFailure("a normalization's mapping leads nowhere: \(line)")
    }
    switch ends[0] {
    case "subject.primary": return (.actor, to)
    case "subject.secondary": return (.actingAs, to)
    case "object.primary": return (.object, to)
    default:
      precondition(ends[0].hasPrefix("uid."), "a normalization's mapping is unknown: \(line)")
      return (.identity(Array(ends[0].dropFirst(4).utf8)), to)
    }
  }

  /// Whether a call's line and a record's say the same thing, as those of `TIME_ADJNTPVAL` and
  /// `adjtimex` do: then it is said once.
  func isSame(as other: Normalization) -> Bool {
    self === other
      || action == other.action && object == other.object && categories == other.categories
        && types == other.types
  }

  /// Reads a table.
  static func table(_ text: String) -> [Normalization] {
    text.split(separator: "\n").map { Normalization($0) }
  }
}

/// Normalizations by the names of system calls and of record types.
struct NormalizationTable: Sendable {
  private let calls: [[UInt8]: Normalization]
  private let records: [[UInt8]: [Normalization]]
  let catchAll: Normalization

  /// - Parameter catchAll: what stands for a call that has no line.
  init(calls: [Normalization], records: [Normalization], catchAll: Normalization) {
    var byCall: [[UInt8]: Normalization] = [:]
    for line in calls {
      for name in line.names {
        precondition(byCall[Array(name.utf8)] == nil, "\(name) has two normalizations")
        byCall[Array(name.utf8)] = line
      }
    }
    var byRecord: [[UInt8]: [Normalization]] = [:]
    for line in records {
      for name in line.names { byRecord[Array(name.utf8), default: []].append(line) }
    }
    self.calls = byCall
    self.records = byRecord
    self.catchAll = catchAll
  }

  /// That of a system call, `nil` for one without a line.
  func call(_ name: [UInt8]) -> Normalization? { calls[name] }

  /// Those of a type of record, of which the last one whose requirements hold counts.
  func records(_ name: [UInt8]) -> [Normalization] { records[name] ?? [] }

  /// What go-libaudit knows, to the letter.
  static let libaudit = NormalizationTable(
    calls: libauditCalls, records: libauditRecords, catchAll: Normalization(Self.anyCall))

  /// Everything, with what go-libaudit lacks or has wrong.
  static let complete = NormalizationTable(
    calls: libauditCalls + furtherCalls,
    records: libauditRecords.filter { !replaced.contains($0.names[0]) } + furtherRecords,
    catchAll: Normalization(Self.anyCall))

  private static let anyCall: Substring = "* | | | process | info |"
  private static let replaced = Set(furtherRecords.flatMap(\.names))

  static let libauditCalls = Normalization.table(libauditCallLines)
  static let libauditRecords = Normalization.table(libauditRecordLines)
  static let furtherCalls = Normalization.table(furtherCallLines)
  static let furtherRecords = Normalization.table(furtherRecordLines)
}

import AuditRecord

/// What was done, in words, and where the event says to what.
struct Action: Equatable, Sendable {
  enum Object: String, Sendable {
    case none
    /// The started program's arguments.
    case command
    /// The path that is not only a parent folder.
    case path
    /// The path, and the mode or the owner that it got.
    case mode, owner
    /// From the first path to the second: `A to B`.
    case rename
    /// What is mounted and where: `A to B`, `A on B`, `of A on B`.
    case moved, attached, bound
    /// The new path and what it leads to: `B to A`.
    case link
    case address
    /// The same, or the descriptor where no address was recorded.
    case transfer
    /// The processes in OBJ_PID, or in an argument, and the signal.
    case process
    /// The first three arguments as decimal numbers.
    case numbers
    case account, group
    /// The text that somebody sent.
    case message
    /// The kernel module in KERN_MODULE.
    case module
    /// The file that MMAP names by descriptor.
    case mapping
    /// The descriptors in FD_PAIR.
    case pair
    case capabilities
    /// What the records of a call without words name: a path, an address.
    case named
    /// Only the fields in `details`, without brackets.
    case fields
  }

  let past: String
  /// Empty for what is only reported: its result is shown as a field, as `failed to` says nothing.
  let infinitive: String
  let object: Object
  /// Fields of the record that tell more.
  let details: [String]
  /// The sentence for where nothing says who did it; `nil` where `somebody` did.
  let passive: String?
  /// Whether it is no attempt but has happened, whatever the result: only a failure is shown.
  let hasHappened: Bool

  init(
    past: String, infinitive: String, object: Object, details: [String], passive: String? = nil,
    hasHappened: Bool = false
  ) {
    self.past = past
    self.infinitive = infinitive
    self.object = object
    self.details = details
    self.passive = passive
    self.hasHappened = hasHappened
  }

  init(_ past: String, _ infinitive: String, _ object: Object) {
    self.init(past: past, infinitive: infinitive, object: object, details: [])
  }

  /// Reads a table of lines `NAME … | past | infinitive | object | field …`. Behind `past`
  /// there may be ` / ` and the passive; `-` for an infinitive says that it has happened.
  static func table(_ text: String) -> [String: Action] {
    var actions: [String: Action] = [:]
    for line in text.split(separator: "\n") {
      let columns = line.split(separator: "|", omittingEmptySubsequences: false).map { column in
        column.split(separator: " ").joined(separator: " ")
      }
      precondition(columns.count == 5, "an action has five columns: \(line)")
      guard let object = Object(rawValue: columns[3]) else {
        preconditionFailure("an action's object is unknown: \(line)")
      }
      let words = columns[1].split(separator: " / ").map(String.init)
      let action = Action(
        past: words[0], infinitive: columns[2] == "-" ? "" : columns[2], object: object,
        details: columns[4].split(separator: " ").map(String.init),
        passive: words.count > 1 ? words[1] : nil, hasHappened: columns[2] == "-")
      for name in columns[0].split(separator: " ") { actions[String(name)] = action }
    }
    return actions
  }

  /// A verb without the word that would lead to an object: `bound a socket`.
  static func alone(_ verb: String) -> String {
    let leading = ["to", "of", "as", "from", "for", "into", "in", "by", "with"]
    var words = verb.split(separator: " ")
    while words.count > 1, let last = words.last, leading.contains(String(last)) {
      words.removeLast()
    }
    return words.joined(separator: " ")
  }
}

/// What was done, in words, and where the event says to what.
struct Action: Equatable, Sendable {
  enum Object: String, Sendable {
    case none
    /// The started program's arguments.
    case command
    /// The path that is not only a parent folder.
    case path
    /// From the first path to the second: `A to B`.
    case rename
    /// The new path and what it leads to: `B to A`.
    case link
    case address
    /// The process in OBJ_PID, or in the first argument.
    case process
    /// The first three arguments as decimal numbers.
    case numbers
    case account
    /// The file that MMAP names by descriptor.
    case mapping
    /// The descriptors in FD_PAIR.
    case pair
    case capabilities
    /// Only the fields in `details`, without brackets.
    case fields
  }

  let past: String
  let infinitive: String
  let object: Object
  /// Fields of the record that tell more.
  let details: [String]

  /// Reads a table of lines `NAME … | past | infinitive | object | field …`.
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
      let action = Action(
        past: columns[1], infinitive: columns[2], object: object,
        details: columns[4].split(separator: " ").map(String.init))
      for name in columns[0].split(separator: " ") { actions[String(name)] = action }
    }
    return actions
  }
}

import ArgumentParser
import FoundationEssentials
import Journal

struct SpoolListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "Shows the spool's files, and where every plugin stands.",
    discussion: """
      The backlog is what a plugin still is to get, as far as the spool had it written when the \
      daemon last said so. A plugin that is gone was not active when the daemon last started or \
      read its configuration: what it had not read is kept for it, and nothing new.
      """)

  @OptionGroup var spool: SpoolOptions
  @Flag(help: "Prints a JSON document.")
  var json = false

  func run() throws {
    try reporting { () throws(ControlFailure) in
      let folder = try spool.open()
      guard json else { return Output.write(Self.table(folder)) }
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      do {
        Output.write(Array(try encoder.encode(SpoolDocument(folder))) + [0x0a])
      } catch { throw ControlFailure("\(error)") }
    }
  }

  static func table(_ folder: SpoolFolder) -> String {
    let bytes = folder.files.reduce(0) { $0 + $1.bytes }
    var text = "spool \(SpoolText.name(folder.path)): "
    text += folder.files.isEmpty ? "empty" : "\(folder.files.count) files"
    text += ", \(StatusTable.size(UInt64(bytes)))"
    text += folder.isInUse ? ", in use\n" : ", not in use\n"
    if !folder.others.isEmpty {
      let names = folder.others.prefix(10).map { SpoolText.name($0) }
      text += "not the spool's: \(names.joined(separator: ", "))\n"
    }
    if !folder.files.isEmpty {
      text += "\n"
      text += TextTable.text(
        [["FILE", "RECORDS", "SIZE"]]
          + folder.files.map {
            [$0.name, SpoolText.range($0.records), StatusTable.size(UInt64($0.bytes))]
          }, left: 2)
    }
    if !folder.plugins.isEmpty {
      text += "\n"
      text += TextTable.text(
        [["PLUGIN", "STATE", "LAST SEEN", "NEXT", "NUMBER", "BACKLOG"]]
          + folder.plugins.map {
            [
              SpoolText.name($0.name), $0.isGone ? "gone" : "known",
              SpoolText.time($0.cursor.seconds), "\($0.cursor.next)", "\($0.cursor.number)",
              StatusTable.number($0.waiting),
            ]
          }, left: 3)
    }
    return text
  }
}

/// The list for programs.
struct SpoolDocument: Encodable {
  struct File: Encodable {
    var name: String
    var bytes: Int
    var first_record: UInt64
    var end_record: UInt64
  }

  struct Plugin: Encodable {
    var name: String
    var gone: Bool
    var next: UInt64
    var number: UInt64
    var backlog: UInt64
    var last_seen: UInt64
  }

  var folder: String
  var in_use: Bool
  var bytes: Int
  var files: [File]
  var other_names: [String]
  var plugins: [Plugin]

  init(_ spool: SpoolFolder) {
    folder = spool.path
    in_use = spool.isInUse
    bytes = spool.files.reduce(0) { $0 + $1.bytes }
    files = spool.files.map {
      File(
        name: $0.name, bytes: $0.bytes, first_record: $0.records.lowerBound.value,
        end_record: $0.records.upperBound.value)
    }
    other_names = spool.others
    plugins = spool.plugins.map {
      Plugin(
        name: $0.name, gone: $0.isGone, next: $0.cursor.next.value,
        number: $0.cursor.number.value,
        backlog: $0.waiting, last_seen: $0.cursor.seconds)
    }
  }
}

enum TextTable {
  /// Rows below each other, the first columns to the left and the others to the right.
  static func text(_ rows: [[String]], left: Int) -> String {
    let widths = (rows.first ?? []).indices.map { column in
      rows.map { $0[column].count }.max() ?? 0
    }
    return rows.map { row in
      let cells = row.indices.map { column in
        let space = String(repeating: " ", count: widths[column] - row[column].count)
        return column < left ? row[column] + space : space + row[column]
      }
      return cells.joined(separator: "  ") + "\n"
    }.joined()
  }
}

import ArgumentParser
import AudispatchPlugin
import AuditRecord
import Journal

struct SpoolInspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Shows what stands in the spool's files, place by place.",
    discussion: """
      Each line has the place in the file, the number of the record, and what stands there: records \
      as plugins get them, where plugins stood, what they are not to get, and damaged places.
      """)

  @OptionGroup var spool: SpoolOptions
  @Option(help: "Shows records from this number on.") var from: UInt64 = 0
  @Option(help: "Shows records up to this number.") var to: UInt64 = .max
  @Argument(help: "The file; without it, all of them.") var file: String?

  func validate() throws {
    guard from <= to else { throw ValidationError("--from is not above --to.") }
  }

  func run() throws {
    try reporting { () throws(ControlFailure) in
      let folder = try spool.open()
      let files = try file.map { (name) throws(ControlFailure) in [try folder.file(named: name)] }
      for file in files ?? folder.files {
        guard file.records.upperBound.value >= from, file.records.lowerBound.value <= to else {
          continue
        }
        Output.write("\(file.name)\n")
        try folder.walk(file) { (item) throws(ControlFailure) in
          let isPlace = item.kind == .damaged || item.kind == .torn
          if isPlace || item.sequence.value >= from && item.sequence.value <= to {
            Output.write(Self.line(item))
          }
          return true
        }
      }
    }
  }

  static func line(_ item: SpoolItem) -> String {
    let what: String
    switch item.kind {
    case .head(let count): what = "head: \(Self.text(item)), a checkpoint of \(count) records"
    case .record:
      let isAgain = item.counts ? "" : " (a later file has this number again)"
      let sender = item.sender.isEmpty ? "" : ", from \(SafeText.line(item.sender[...]))"
      what =
        "record of event \(item.event), type \(item.type)\(sender)\(isAgain): "
        + Self.text(item)
    case .cursor(let plugin, let cursor):
      what =
        "\(SpoolText.name(plugin)) is to get \(cursor.next), number \(cursor.number) of its "
        + "stream; \(SpoolText.time(cursor.seconds))"
    case .hole(let plugin, let range):
      what = "\(SpoolText.name(plugin)) is not to get \(SpoolText.range(range))"
    case .nonsense: what = "a record that says nothing"
    case .damaged: return "\(item.offset): \(item.bytes) damaged bytes\n"
    case .torn: return "\(item.offset): \(item.bytes) bytes of a record that was never whole\n"
    }
    return "\(item.offset): \(item.sequence): \(what)\n"
  }

  private static func text(_ item: SpoolItem) -> String {
    SafeText.line(item.text.last == 0x0a ? item.text.dropLast() : item.text[...])
  }
}

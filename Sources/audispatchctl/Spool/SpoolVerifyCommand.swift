import ArgumentParser
import Journal

struct SpoolVerifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Checks every record of the spool against its checksum.",
    discussion: """
      Prints the file, the place and the length of everything that is damaged; the exit status is \
      then 1. The beginning of a record at the end of a file, as a crash leaves it, is named and is \
      no damage: it was never answered for.
      """)

  @OptionGroup var spool: SpoolOptions
  @Flag(help: "Says nothing when nothing is damaged.") var quiet = false

  func run() throws {
    var isSound = true
    try reporting { () throws(ControlFailure) in
      let folder = try spool.open()
      var report = SpoolReport()
      for file in folder.files { try report.take(file, folder) }
      isSound = report.isSound
      if !isSound || !quiet { Output.write(report.text(folder)) }
    }
    if !isSound { throw ExitCode(1) }
  }
}

/// What checking a spool found.
struct SpoolReport {
  private var lines: [String] = []
  private var records: UInt64 = 0
  private var damaged = 0
  /// Records between the first and the last one of a file that are not in it.
  private var missing: UInt64 = 0

  var isSound: Bool { damaged == 0 && missing == 0 }

  mutating func take(_ file: SpoolFolder.File, _ folder: SpoolFolder) throws(ControlFailure) {
    var next: LogRecordNumber?
    var isFirst = true
    var report = self
    try folder.walk(file) { (item) throws(ControlFailure) in
      switch item.kind {
      case .damaged: report.note(file, item, "damaged")
      case .nonsense: report.note(file, item, "a record that says nothing")
      case .torn:
        report.lines.append(
          "\(file.name): \(item.offset): \(item.bytes) bytes of a record that was never whole")
      case .head, .cursor, .hole: break
      case .record:
        report.records += item.counts ? 1 : 0
        if let next, item.sequence > next {
          report.lines.append(
            "\(file.name): \(item.offset): records \(SpoolText.range(next..<item.sequence)) "
              + "are missing before this one")
          report.missing += UInt64(item.sequence - next)
        }
        next = item.sequence + 1
      }
      if isFirst, item.kind != .torn {
        if case .head = item.kind {
        } else if item.kind != .damaged {
          report.note(file, item, "no head")
        }
      }
      isFirst = false
      return true
    }
    self = report
  }

  private mutating func note(_ file: SpoolFolder.File, _ item: SpoolItem, _ what: String) {
    damaged += 1
    lines.append("\(file.name): \(item.offset): \(item.bytes) bytes: \(what)")
  }

  func text(_ folder: SpoolFolder) -> String {
    var text = lines.map { $0 + "\n" }.joined()
    text += "\(StatusTable.number(records)) records in \(folder.files.count) files: "
    if isSound { return text + "sound\n" }
    return text + "\(damaged) damaged places, \(StatusTable.number(missing)) records missing\n"
  }
}

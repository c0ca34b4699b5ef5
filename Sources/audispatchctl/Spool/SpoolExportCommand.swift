import ArgumentParser
import AudispatchPlugin
import Glibc
import Journal

struct SpoolExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Prints the records that the spool holds for a plugin, or all of them.",
    discussion: """
      The records are printed as plugins get them, a line each. The exit status is 1 when some of \
      them are damaged; the others are printed all the same. What a running daemon removes \
      meanwhile has been delivered.
      """)

  @OptionGroup var spool: SpoolOptions
  @Argument(help: "The plugin whose backlog is printed; without it, all records.")
  var plugin: String?

  func run() throws {
    var damaged = 0
    try reporting { () throws(ControlFailure) in
      let folder = try spool.open()
      let all = [LogRecordNumber(0)..<LogRecordNumber.max]
      var wanted =
        try plugin.map { (name) throws(ControlFailure) in
          try folder.plugin(named: name).backlog
        }.map { $0[...] } ?? all[...]
      let isTerminal = isatty(1) == 1
      var output: [UInt8] = []
      for file in folder.files {
        guard let first = wanted.first, first.lowerBound < file.records.upperBound else { continue }
        try folder.walk(file) { (item) throws(ControlFailure) in
          if item.kind == .damaged { damaged += 1 }
          guard item.kind == .record, item.counts else { return true }
          while let range = wanted.first, range.upperBound <= item.sequence {
            wanted.removeFirst()
          }
          guard let range = wanted.first else { return false }
          guard range.contains(item.sequence) else { return true }
          if isTerminal {
            output += Array((SafeText.line(item.text.dropLast()) + "\n").utf8)
          } else {
            output += item.text
          }
          if output.count > 64 << 10 {
            Output.write(output)
            output.removeAll(keepingCapacity: true)
          }
          return true
        }
      }
      Output.write(output)
      if damaged > 0 {
        throw ControlFailure(
          "\(damaged) damaged places: what was there is not among the records",
          hint: "audispatchctl spool verify names them.")
      }
    }
  }
}

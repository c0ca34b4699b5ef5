import ArgumentParser
import AudispatchPlugin
import FoundationEssentials
import Journal
import Linux

/// What lies in the spool, read from its files: no daemon is needed, and none is disturbed.
struct SpoolCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "spool",
    abstract: "Looks into the spool on disk, with or without a running daemon.",
    discussion: "Only discard changes anything, and asks the running daemon to.",
    subcommands: [
      SpoolListCommand.self, SpoolInspectCommand.self, SpoolVerifyCommand.self,
      SpoolExportCommand.self, SpoolDiscardCommand.self,
    ],
    defaultSubcommand: SpoolListCommand.self)
}

/// Which spool; the same for every command.
struct SpoolOptions: ParsableArguments {
  @Option(name: .customLong("spool-dir"), help: "The spool's folder.")
  var folder = "/var/lib/audispatch/spool"

  func open() throws(ControlFailure) -> SpoolFolder {
    do {
      return try SpoolFolder(folder)
    } catch {
      throw ControlFailure(
        "\(error)",
        hint: error.cause == .noSuchFile
          ? "Name the daemon's spool_dir with --spool-dir; without durable plugins there is none."
          : nil)
    }
  }
}

extension SpoolFolder {
  /// The file of that name, given with or without its folder and ending.
  func file(named name: String) throws(ControlFailure) -> File {
    let last = name.split(separator: "/").last.map(String.init) ?? ""
    if let file = files.first(where: { $0.name == last || $0.name == last + ".spool" }) {
      return file
    }
    throw ControlFailure(
      "the spool has no file \(SpoolText.name(name))",
      hint: "audispatchctl spool list shows its files.")
  }

  func plugin(named name: String) throws(ControlFailure) -> Plugin {
    if let plugin = plugins.first(where: { $0.name == name }) { return plugin }
    let known = plugins.map { SpoolText.name($0.name) }.joined(separator: ", ")
    throw ControlFailure(
      "the spool knows no plugin \(SpoolText.name(name))",
      hint: known.isEmpty ? "It knows none." : "It knows \(known).")
  }

  /// Goes through what stands in a file, until `body` says that it is enough.
  func walk(
    _ file: File, _ body: (SpoolItem) throws(ControlFailure) -> Bool
  ) throws(ControlFailure) {
    var items = items(of: file)
    do {
      while let item = try items.next() { if try !body(item) { return } }
    } catch let error as Errno {
      throw ControlFailure("cannot read \(path)/\(file.name): \(error)")
    } catch let error as ControlFailure {
      throw error
    } catch { throw ControlFailure("\(error)") }
  }
}

enum SpoolText {
  /// A plugin's or a file's name, fit for a terminal.
  static func name(_ name: String) -> String { SafeText.escaped(name.utf8) }

  static func time(_ seconds: UInt64) -> String {
    guard seconds > 0, seconds < 1 << 36 else { return "-" }
    return Date(timeIntervalSince1970: Double(seconds)).formatted(.iso8601)
  }

  /// `FROM-LAST`, both of them in.
  static func range(_ range: Range<LogRecordNumber>) -> String {
    if range.upperBound == .max { return "\(range.lowerBound) and all behind it" }
    return range.isEmpty
      ? "none, from \(range.lowerBound) on"
      : "\(range.lowerBound)-\(range.upperBound.advanced(by: -1))"
  }
}

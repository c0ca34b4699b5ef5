import AudispatchPlugin
import Linux

/// From arguments to an exit status: 0, 1 when it cannot go on, 2 for arguments it does not know.
enum PrintCommand {
  static func run(_ arguments: [String]) -> Int32 {
    var log = PluginLog(name: "audispatch-print")
    let options: PrintOptions
    do {
      options = try PrintOptions(arguments)
    } catch {
      log.write(.error, error.message)
      log.write(.error, "see audispatch-print --help")
      return 2
    }
    do {
      if options.help {
        try Transfer.writeAll(1, Array(PrintOptions.usage.utf8))
        return 0
      }
      var session = try PluginSession(log: log)
      var plugin = try PrintPlugin(options, log: log)
      try session.run(&plugin)
      return 0
    } catch {
      log.write(.error, "\(error)")
      return 1
    }
  }
}

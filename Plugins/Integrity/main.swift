import AudispatchPlugin
import Configuration
import Glibc
import Linux

PluginProgram(
  "audispatch-integrity",
  """
  Keeps a baseline of files, and says what differs from it.

  init                 makes the baseline
  check [PATH]...      what differs from it
  update, accept PATH  makes what there is the baseline, for a --reason
  list, show, export   what is in it
  verify               whether another program altered it
  explain PATH         which rule decides about a path
  """,
  operands: "COMMAND [PATH]...", options: IntegrityOptions.self
).main { session in
  do throws(Diagnostic) {
    guard let (command, paths) = try Command.parse(session.options.words) else {
      session.log.write(.error, "no command; see --help")
      exit(Command.Status.unusable)
    }
    var run = CommandExecution(session.options, paths, log: session.log)
    do { exit(try run.run(command)) } catch {
      session.log.write(.error, "\(error)")
      exit(Command.Status.different)
    }
  } catch {
    session.log.write(error)
    exit(Command.Status.unusable)
  }
}

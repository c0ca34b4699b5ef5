import AudispatchPlugin
import Configuration
import Glibc
import Linux

if ProgramArguments.all.dropFirst().first == HelperProcess.word {
  exit(HelperProcess.run(ProgramArguments.all.dropFirst(2)))
}

PluginProgram(
  "audispatch-integrity",
  """
  Keeps a baseline of files, and says what differs from it, and who did it. Without a command it
  is a plugin: audit records are its input, and each change is told as it is made.

  init                 makes the baseline
  check [PATH]...      what differs from it
  report [PATH]...     the same for people, on a terminal or as a page: --html FILE
  update, accept PATH  makes what there is the baseline, for a --reason
  list, show, export   what is in it
  verify               whether another program altered it
  key                  makes the key that signs its changes
  explain PATH         which rule decides about a path
  begin, end           a maintenance window: marks what changes in it, and hides nothing
  import FILE          what an AIDE configuration says, as one of ours
  rules, load, unload  the kernel's audit rules for what is watched
  """,
  operands: "COMMAND [PATH]...", options: IntegrityOptions.self
).main { session in
  // Without a command it is a plugin, with the audit stream as its input.
  if session.options.words.isEmpty, isatty(0) == 0 {
    if let objection = session.options.pluginObjections.first {
      session.log.write(objection)
      exit(Command.Status.unusable)
    }
    var plugin = try IntegrityPlugin(session.options, session.log)
    return try session.run(&plugin)
  }
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

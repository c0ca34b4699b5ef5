import ArgumentParser
import Glibc
import Linux

/// Why a command could not do what was asked, and what the operator can do.
struct ControlFailure: Error, Equatable {
  let message: String
  let hint: String?

  init(_ message: String, hint: String? = nil) {
    self.message = message
    self.hint = hint
  }

  static func cannotConnect(_ socket: String, _ cause: Errno) -> ControlFailure {
    switch cause.number {
    case ENOENT, ENOTDIR, ECONNREFUSED:
      ControlFailure(
        "audispatchd is not running (nobody answers at \(socket))",
        hint: "Start it, or name its runtime folder with --runtime-dir.")
    case EACCES, EPERM:
      ControlFailure(
        "no permission to use \(socket)",
        hint:
          "Only root, the user that audispatchd runs as and control_group may; try it with sudo.")
    case ENAMETOOLONG:
      ControlFailure(
        "\(socket) is too long for a socket's path", hint: "At most 107 bytes are possible.")
    default: ControlFailure("cannot connect to \(socket): \(cause)")
    }
  }

  /// Says it on standard error; the exit status is 1.
  var exit: ExitCode {
    var text = "audispatchctl: \(message)\n"
    if let hint { text += "audispatchctl: \(hint)\n" }
    Output.write(text, to: 2)
    return ExitCode(1)
  }
}

/// Text for the operator.
enum Output {
  /// Writes text; a reader that is gone ends the program quietly, as SIGPIPE would.
  static func write(_ text: String, to descriptor: Int32 = 1) {
    write(Array(text.utf8), to: descriptor)
  }

  static func write(_ bytes: [UInt8], to descriptor: Int32 = 1) {
    do { try Transfer.writeAll(descriptor, bytes) } catch { Glibc.exit(1) }
  }
}

extension ParsableCommand {
  /// Does the work of a command, its failures said as they should be.
  func reporting(_ work: () throws(ControlFailure) -> Void) throws {
    do { try work() } catch { throw error.exit }
  }
}

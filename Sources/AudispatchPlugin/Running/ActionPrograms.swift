import Glibc
import Linux

/// The programs that actions start. None of them is waited for.
public struct ActionPrograms {
  private final class Running {
    let process: ChildProcess
    init(_ process: consuming ChildProcess) { self.process = process }
  }

  /// A program that hangs must not be started again and again.
  private static let limit = 8

  private var running: [Running] = []

  public init() {}

  /// Starts a program; says in the log when it cannot.
  public mutating func start(_ command: [String], input: [UInt8] = [], _ log: inout PluginLog) {
    reap()
    guard running.count < Self.limit else {
      return log.write(.error, "\(command[0]) is not started: \(running.count) still run")
    }
    do {
      let pipe = try Pipe()
      let end = pipe.reading
      do {
        let other = pipe.writing
        // At most what a pipe holds: never waits.
        try Transfer.writeAll(other.number, Array(input.prefix(4096)))
      }
      let null = try Descriptor.open("/dev/null", 1)
      running.append(
        Running(
          try ChildProcess(
            path: command[0], arguments: Array(command.dropFirst()),
            environment: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"], input: end.number,
            output: null.number, error: null.number)))
    } catch { log.write(.error, "\(error)") }
  }

  /// Takes note of those that have ended.
  public mutating func reap() { running.removeAll { $0.process.reap() != nil } }

  /// A mail in the form that sendmail takes.
  public static func mail(to account: String, _ subject: String, _ text: String) -> [UInt8] {
    Array("To: \(account)\nFrom: root\nSubject: \(subject)\n\n\(text)\n".utf8)
  }

  /// What speaks against a program that runs with our rights, and what to do about it; `nil`: nothing.
  /// It belongs to root or to us, and nobody else writes it.
  public static func objection(to path: String) -> (message: String, suggestion: String?)? {
    do throws(Errno) {
      let status = try Files.status(of: path)
      if status.kind != .regular { return ("\(path) is a \(status.kind.rawValue)", nil) }
      if status.owner != 0, status.owner != geteuid() {
        return ("\(path) belongs to uid \(status.owner), not to root", nil)
      }
      if status.mode & 0o022 != 0 {
        return ("\(path) can be written by others", "chmod go-w \(path)")
      }
      if status.mode & 0o100 == 0 { return ("\(path) is not executable", "chmod u+x \(path)") }
      return nil
    } catch { return ("cannot examine \(path): \(error)", nil) }
  }
}

import AudispatchPlugin
import Linux

/// The programs that actions start. None of them is waited for.
struct ActionPrograms {
  private final class Running {
    let process: ChildProcess
    init(_ process: consuming ChildProcess) { self.process = process }
  }

  /// A program that hangs must not be started again and again.
  private static let limit = 8

  private var running: [Running] = []

  /// Starts a program; says in the log when it cannot.
  mutating func start(_ command: [String], input: [UInt8] = [], _ log: inout PluginLog) {
    reap()
    guard running.count < Self.limit else {
      return log.write(.error, "\(command[0]) is not started: \(running.count) still run")
    }
    do {
      let (reading, writing) = try Pipe.open()
      let end = Descriptor(owning: reading)
      do {
        let other = Descriptor(owning: writing)
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
  mutating func reap() { running.removeAll { $0.process.reap() != nil } }

  /// A mail in the form that sendmail takes.
  static func mail(to account: String, _ subject: String, _ text: String) -> [UInt8] {
    Array("To: \(account)\nFrom: root\nSubject: \(subject)\n\n\(text)\n".utf8)
  }
}

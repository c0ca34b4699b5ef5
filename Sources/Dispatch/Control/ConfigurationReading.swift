import Configuration
import Glibc
import Linux

/// Has the configuration read by a process of its own, an `Examiner`, which a thread waits for: there
/// may be thousands of files, on a disk that is slow, or that does not answer. What hangs there is not
/// this process, which so can always end. A plugin on which one hangs is left out by the next.
enum ConfigurationReading {
  enum Outcome: Sendable {
    case read(LoadedConfiguration)
    /// Why nothing is known of it.
    case failed(String)
  }

  /// How long it may take.
  private static let patience = Duration.seconds(30)

  /// - Parameter arguments: of the daemon, without the program's name.
  static func start(_ arguments: [String]) throws(SystemError) -> Errand<Outcome> {
    try Errand { answer in read(arguments, answer) }
  }

  /// One that hangs in the kernel, and was killed.
  private final class Hung {
    let examiner: ChildProcess
    init(_ examiner: consuming ChildProcess) { self.examiner = examiner }
  }

  private enum Examination {
    case ended(Outcome)
    /// Something of that plugin does not answer; `nil`: something of the daemon's, or too much.
    case hung(String?, Hung)
  }

  private static func read(_ arguments: [String], _ answer: (Outcome) -> Void) {
    let end = Moment.now + Self.patience
    var silent: Set<String> = []
    var hung: [Hung] = []
    do {
      examining: while true {
        switch try examine(arguments, without: silent, until: end) {
        case .ended(let outcome):
          answer(outcome)
          break examining
        case .hung(let plugin, let one):
          hung.append(one)
          guard let plugin, .now < end else {
            answer(.failed(standstill(silent, last: plugin)))
            break examining
          }
          silent.insert(plugin)
        }
      }
    } catch { answer(.failed("the configuration cannot be read: \(error)")) }
    // They may be kept in the kernel, and are waited for by this thread alone.
    for one in hung {
      while one.examiner.reap() == nil {
        _ = Poll.readable([one.examiner.pidfd], within: nil)
      }
    }
  }

  private static func examine(
    _ arguments: [String], without silent: Set<String>, until end: Moment
  ) throws -> Examination {
    let file = try Descriptor.anonymousFile("audispatch examination")
    let pipe = try Pipe()
    let steps = pipe.reading
    let examiner: ChildProcess
    do {
      let far = pipe.writing
      examiner = try Examiner.start(arguments, without: silent, into: file, steps: far)
    }
    var reader = StepReader()
    var bound: (plugin: String, until: Moment)?
    while true {
      let until = bound.map { min($0.until, end) } ?? end
      let ready = Poll.readable([steps.number, examiner.pidfd], within: max(.zero, until - .now))
      if ready[0] {
        guard let step = reader.read(steps.number) else { break }
        bound = step.bound.map { ($0.plugin, .now + $0.patience) }
      } else if ready[1] {
        break
      } else if .now >= until {
        examiner.signal(SIGKILL)
        // One that was begun a moment before the end of all has had no time.
        let isSilent = bound.map { $0.until <= .now } ?? false
        return .hung(isSilent ? bound?.plugin : nil, Hung(examiner))
      }
    }
    // Its output is closed as it ends.
    _ = Poll.readable([examiner.pidfd], within: max(.zero, end - .now))
    if let how = examiner.reap() { return .ended(outcome(how, file)) }
    examiner.signal(SIGKILL)
    return .hung(nil, Hung(examiner))
  }

  /// Why nothing was read in all the time that there was.
  ///
  /// - Parameters:
  ///   - silent: plugins of which something does not answer.
  ///   - last: the plugin that was read then; where no other one was silent, the disk may be slow.
  static func standstill(_ silent: Set<String>, last: String?) -> String {
    var names = silent
    if let last, !silent.isEmpty { names.insert(last) }
    let list = names.sorted().joined(separator: ", ")
    let cause =
      switch names.count {
      case 0: "a file system that it names does not answer"
      case 1: "plugin \(list) does not answer"
      default: "plugins \(list) do not answer"
      }
    return "reading the configuration has not ended within \(Int(patience.inSeconds)) s: \(cause)"
  }

  /// What an examiner says on its standard output.
  private struct StepReader {
    private var rest: [UInt8] = []
    private var last = ExaminationStep.others

    /// The last step that it has said; `nil`: it says no more.
    mutating func read(_ fd: Int32) -> ExaminationStep? {
      var chunk = [UInt8](repeating: 0, count: 4096)
      let result = unsafe chunk.withUnsafeMutableBytes { unsafe Transfer.read(fd, into: $0) }
      guard case .bytes(let count) = result else { return nil }
      rest += chunk[..<count]
      guard let newline = rest.lastIndex(of: 0x0a) else { return last }
      let lines = String(decoding: rest[..<newline], as: UTF8.self).split(separator: "\n")
      rest.removeSubrange(...newline)
      if let line = lines.last, let step = ExaminationStep(line: line) { last = step }
      return last
    }
  }

  private static func outcome(_ end: ChildEnd, _ file: consuming Descriptor) -> Outcome {
    guard end == .exit(0) else {
      return .failed("who reads the configuration ended with \(end)")
    }
    do {
      return .read(try Examiner.answer(in: file))
    } catch { return .failed("what was read of the configuration cannot be used: \(error)") }
  }
}

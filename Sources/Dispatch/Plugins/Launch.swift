import Configuration
import Journal
import Linux

/// One start that a starter is asked for: which one, in the upper half, and of which plugin.
struct LaunchNumber: Hashable, Sendable {
  let value: UInt64

  /// As a starter's answer names it.
  init(_ value: UInt64) { self.value = value }

  init(_ count: UInt32, of plugin: PluginID) {
    value = UInt64(count) << 32 | UInt64(plugin.value)
  }

  var plugin: PluginID { PluginID(UInt32(truncatingIfNeeded: value)) }
}

/// One child of a plugin from its request to its program, with all that will belong to it.
final class Launch {
  /// What the starter's answer is called.
  let number: LaunchNumber
  let request: StartRequest
  private var attempt: StartAttempt
  private var process: ChildProcess?
  private var ourEnd: Descriptor?
  private var childEnd: Descriptor?
  private var output: OutputCatcher?
  /// The child's end of what it prints as messages; closed once it has it.
  private var messagesEnd: Descriptor?
  private let passed: PassedOutput?
  /// The child's end of it, until it has it.
  private var passedEnd: PluginOutput.Prepared?
  private let confirms: Bool
  private let isBinary: Bool

  init(
    _ number: LaunchNumber, _ request: StartRequest, of configuration: PluginConfiguration,
    passed: PluginOutput.Prepared?
  ) throws {
    self.number = number
    self.request = request
    self.passed = passed?.output
    passedEnd = passed
    confirms = configuration.confirms
    isBinary = configuration.format == .binary
    attempt = try StartAttempt()
    let ends = try UnixSocket.pair()
    ourEnd = Optional(consume ends.ours)
    childEnd = Optional(consume ends.theirs)
    let pipe = try Pipe()
    output = OutputCatcher(owning: pipe.reading)
    messagesEnd = Optional(consume pipe.writing)
  }

  /// Hands the request over. Never waits.
  func ask(_ starter: StarterLink) -> Starter.Asked {
    guard let input = childEnd?.number, let error = messagesEnd?.number else {
      preconditionFailure("a child is asked for once")
    }
    let asked = starter.ask(
      request, number: number.value, input: input, output: passedEnd?.childEnd.number ?? error,
      error: error, attempt: attempt.childNumber)
    if asked == .taken {
      attempt.wasHandedOver()
      messagesEnd = nil
      passedEnd = nil
    }
    return asked
  }

  /// The child's; -1: there is none yet.
  var pid: Int32 { process?.pid ?? -1 }
  var pidfd: Int32 { process?.pidfd ?? -1 }
  var reportNumber: Int32 { attempt.number }

  /// The child is there, and waits.
  func take(_ process: consuming ChildProcess) { self.process = consume process }

  /// The child may go on.
  func go() { attempt.go() }

  /// `nil`: it is still on its way.
  var outcome: StartAttempt.Outcome? { attempt.outcome(of: request) }

  /// The process, of which nothing more is wanted here; `nil`: there is none.
  func takeProcess() -> ChildProcess? { process.take() }

  /// The plugin's child, once it runs.
  ///
  /// - Parameter number: what the surviving memory and the keeper call it; `nil`: they do not know it.
  func child(_ number: ChildNumber?) -> PluginChild {
    guard let process = process.take(), let ourEnd = ourEnd.take(), let childEnd = childEnd.take(),
      let output = output.take()
    else { preconditionFailure("a child that was not started, or was taken") }
    ourEnd.setNonblocking(true)
    return PluginChild(
      process, number: number, ourEnd: ourEnd, childEnd: childEnd, output: output,
      passed: passed, confirms: confirms, isBinary: isBinary)
  }
}

import ArgumentParser
import AudispatchPlugin

struct ReloadCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reload",
    abstract: "Has the daemon read its configuration and plugins.d again.",
    discussion: """
      Prints what is wrong with them, and a line on what came of it; the exit status is 0, or 6 \
      when something was refused: that stays as it was. Plugins whose file did not change keep \
      running.
      """)

  @OptionGroup var runtime: RuntimeOptions

  func run() throws {
    var status: Int32 = 0
    try reporting { () throws(ControlFailure) in
      let report = DaemonReport(try runtime.client.answer(to: "reload"))
      Output.write(Lines.safe(report.text))
      // A daemon of before ends without a status.
      status = report.status ?? 0
    }
    if status != 0 { throw ExitCode(status) }
  }
}

/// Lines, the last of which is an exit status.
struct DaemonReport {
  let text: [UInt8]
  let status: Int32?

  init(_ answer: [UInt8]) {
    let lines = answer.split(separator: 0x0a)
    if let last = lines.last, last.starts(with: "status ".utf8),
      let number = Int32(String(decoding: last.dropFirst(7), as: UTF8.self))
    {
      text = Array(lines.dropLast().joined(separator: [0x0a]))
      status = number
    } else {
      text = answer
      status = nil
    }
  }
}

struct ResumeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "resume", abstract: "Lets a suspended or held plugin go on.")

  @OptionGroup var runtime: RuntimeOptions
  @Argument(help: "The plugin: its file's name in plugins.d without .conf.")
  var name: String

  func validate() throws {
    guard !name.isEmpty, name.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else {
      throw ValidationError("A plugin's name has no control characters and is not empty.")
    }
  }

  func run() throws {
    try reporting { () throws(ControlFailure) in
      Output.write(Lines.safe(try runtime.client.answer(to: "resume \(name)")))
    }
  }
}

struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Has the daemon check its configuration as it is on disk now.",
    discussion: """
      Prints every problem found; the exit status is 0, or 6 when something would not be accepted. \
      Nothing is changed. Without a running daemon, `audispatchd --check` does the same.
      """)

  @OptionGroup var runtime: RuntimeOptions

  func run() throws {
    var status: Int32 = 0
    try reporting { () throws(ControlFailure) in
      let answer: [UInt8]
      do throws(ControlFailure) {
        answer = try runtime.client.answer(to: "check")
      } catch {
        throw ControlFailure(
          error.message, hint: "audispatchd --check checks the configuration without it.")
      }
      let report = DaemonReport(answer)
      guard let number = report.status else {
        throw ControlFailure("audispatchd broke off in its answer")
      }
      Output.write(Lines.safe(report.text))
      status = number
    }
    if status != 0 { throw ExitCode(status) }
  }
}

/// Lines that the daemon sent, in which may stand what others wrote.
enum Lines {
  static func safe(_ bytes: some Sequence<UInt8>) -> String {
    var text = ""
    for line in Array(bytes).split(separator: 0x0a) { text += SafeText.line(line) + "\n" }
    return text
  }
}

import ArgumentParser
import AudispatchPlugin
import Configuration
import FoundationEssentials
import Linux

struct StatusCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Shows the daemon, its source and what every plugin has and has not received.",
    discussion: """
      All counters of plugins are in records; received = delivered + queued + dropped. The exit \
      status is 0 when the daemon answered, whatever state its plugins are in: see --json. Behind an \
      auditd, and with the right to read its files, what is known of its ways follows.
      """)

  @OptionGroup var runtime: RuntimeOptions
  @Flag(help: "Prints the daemon's JSON document as it is.")
  var json = false

  func run() throws {
    try reporting { () throws(ControlFailure) in
      let answer = try runtime.client.answer(to: "status")
      guard !json else {
        Output.write(answer + (answer.last == 0x0a ? [] : [0x0a]))
        return
      }
      let status: Status
      do {
        status = try JSONDecoder().decode(Status.self, from: Data(answer))
      } catch {
        throw ControlFailure(
          "audispatchd's status is not understood: \(Self.reason(error))",
          hint: "Is the daemon newer? status --json shows what it says.")
      }
      Output.write(StatusTable(status).text)
      guard status.source.kind == "stdin",
        let front = AuditdInFront(version: { InstalledAudit.version })
      else { return }
      let traps = front.traps(for: nil).map { SafeText.line($0.description.utf8) + "\n" }
      if !traps.isEmpty { Output.write("\nAbout the auditd in front:\n" + traps.joined()) }
    }
  }

  private static func reason(_ error: any Error) -> String {
    switch error {
    case DecodingError.keyNotFound(let key, let context):
      "\((context.codingPath + [key]).map(\.stringValue).joined(separator: ".")) is missing"
    case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
      "\(context.codingPath.map(\.stringValue).joined(separator: ".")) is of another type"
    default: "it is no JSON document"
    }
  }
}

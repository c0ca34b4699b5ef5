import ArgumentParser
import AudispatchPlugin
import Glibc
import Linux

struct TailCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tail",
    abstract: "Prints the events as they pass, until interrupted.",
    discussion: """
      One line for each event: who did what to what. A tail that is too slow holds up nobody; what \
      it missed is said in its place.
      """)

  @OptionGroup var runtime: RuntimeOptions
  @Flag(help: "Prints the records as they are.")
  var raw = false
  @Flag(help: "Shows times in UTC instead of local time.")
  var utc = false

  func run() throws {
    try reporting { () throws(ControlFailure) in
      var reply = try runtime.client.ask("tail")
      if raw { try passRecords(&reply) } else { try passEvents(&reply) }
      throw ControlFailure("audispatchd ended")
    }
  }

  private func passRecords(_ reply: inout ControlReply) throws(ControlFailure) {
    let isTerminal = isatty(1) == 1
    var rest: [UInt8] = []
    repeat {
      guard isTerminal else {
        Output.write(reply.takeAll())
        continue
      }
      rest += reply.takeAll()
      while let newline = rest.firstIndex(of: 0x0a) {
        Output.write(SafeText.line(rest[..<newline]) + "\n")
        rest.removeSubrange(...newline)
      }
    } while try reply.readMore(within: .seconds(86400 * 365))
  }

  private func passEvents(_ reply: inout ControlReply) throws(ControlFailure) {
    var stream = RecordStream()
    var assembler = EventAssembler()
    var summary = EventSummary(zone: utc ? .utc : .local)
    func print() {
      var text = ""
      while let event = assembler.next() { text += summary.line(for: event) + "\n" }
      if !text.isEmpty { Output.write(text) }
    }
    var isOpen = true
    while isOpen {
      var bytes = reply.takeAll()[...]
      while !bytes.isEmpty {
        bytes = bytes.dropFirst(stream.fill(with: bytes))
        let now = MonotonicTime.now
        while stream.next(ended: false, { assembler.append($0, $1, type: $2, at: now) }) {}
        print()
      }
      let deadline = assembler.expire(at: MonotonicTime.now)
      print()
      let wait = deadline.map { max($0 - MonotonicTime.now, .zero) + .milliseconds(1) }
      guard Poll.readable([reply.connection.number], within: wait)[0] else { continue }
      isOpen = try reply.readMore(within: .zero)
    }
    assembler.finish()
    print()
  }
}

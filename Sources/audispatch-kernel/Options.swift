import Configuration
import Enrichment
import Linux

/// What the command line says.
struct Options {
  var content: RecordFormatter.Content = .enriched
  var node: String?
  var nameFormat = NodeName.Format.none
  var name: String?
  var countersDescriptor: Int32?
  var capture = false
  /// How much of what the kernel sent may wait for the enricher.
  var queueBytes = 64 << 20
  /// What is asked of the kernel for the socket; it reserves nothing.
  var receiveBuffer = 32 << 20
  private(set) var action = ProgramAction.run

  static let keywords: [Keyword<Options>] = [
    .flag("raw", "without names beside numbers") { $0.content = $1 ? .raw : .enriched },
    .value("node", "NAME", "the node of every record") {
      (options: inout Options, word: Word) throws(Diagnostic) in
      options.node = try nodeName(word)
    },
    .choice(
      "name_format", "FORMAT", "the node: none, hostname, fqd, numeric or user", \.nameFormat),
    .value("name", "NAME", "the node with --name-format user") {
      (options: inout Options, word: Word) throws(Diagnostic) in
      options.name = try nodeName(word)
    },
    .bytes(
      "queue_bytes", "BYTES", "what may wait to be enriched", \.queueBytes, 65_536...(4 << 30)),
    .bytes(
      "receive_buffer", "BYTES", "what is asked of the kernel for the socket", \.receiveBuffer,
      1024...(1 << 30)),
    .value("counters_fd", "N", "a page to count in, which audispatchd gives") {
      (options: inout Options, word: Word) throws(Diagnostic) in
      options.countersDescriptor = Int32(try word.number(in: 3...65_535, for: "counters_fd"))
    },
    .flag("capture", "read a capture of netlink messages on standard input") { $0.capture = $1 },
  ]

  /// Reads the arguments after the program's name.
  init(_ arguments: [String]) throws(UsageError) {
    let words: CommandLineWords
    do throws(CommandLineWords.Fault) {
      words = try CommandLineWords(
        arguments,
        Self.keywords.map { CommandLineWords.Option($0) }
          + ProgramAction.optionsWithoutConfiguration)
    } catch { throw UsageError(error) }
    for setting in words.settings where !action.take(setting) {
      guard let keyword = Self.keywords.first(where: { $0.name == setting.keyword.text }) else {
        continue
      }
      do throws(Diagnostic) {
        try keyword.apply(&self, setting)
      } catch { throw UsageError(error) }
    }
    if let operand = words.operands.first { throw UsageError(unexpected: operand) }
  }

  init() {}

  /// What `--help` prints.
  static let usage = {
    var options = OptionHelp()
    options.add(keywords, in: Options())
    options.add("-h, --help", "print this")
    options.add("-V, --version", "print the version")
    return """
      Usage: audispatch-kernel [OPTION]...
      Reads the kernel's audit messages and writes them as binary records on standard
      output, as auditd gives them to its plugins.

      \(options.text)
      Exit status: 0 done, 1 could not go on, 2 usage.

      """
  }()

  /// A name that can stand in a record: what a reader takes up to the next space.
  private static func nodeName(_ word: Word) throws(Diagnostic) -> String {
    guard (1...255).contains(word.text.utf8.count),
      word.text.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F })
    else { throw word.error("a name has 1 to 255 bytes without spaces and control characters") }
    return word.text
  }
}

/// What `audispatch-print` was asked for.
struct PrintOptions: Equatable {
  static let usage = """
    usage: audispatch-print [--raw] [--utc] [--output FILE] [FILE]
    Prints one line for each audit event on its standard input, on standard output
    or behind what is in FILE. --raw prints the records as they are.

    """

  var raw = false
  var utc = false
  /// Where to write; standard output without it.
  var output: String?
  var help = false

  struct UsageError: Error, Equatable {
    let message: String
  }

  init(_ arguments: some Collection<String>) throws(UsageError) {
    var rest = Array(arguments)
    while let argument = rest.first {
      rest.removeFirst()
      switch argument {
      case "--raw": raw = true
      case "--utc": utc = true
      case "--help", "-h": help = true
      case "--output", "-o":
        guard let file = rest.first else { throw UsageError(message: "\(argument) needs a file") }
        rest.removeFirst()
        try write(to: file)
      case _ where argument.hasPrefix("--output="): try write(to: String(argument.dropFirst(9)))
      case _ where argument.hasPrefix("-") && argument.count > 1:
        throw UsageError(message: "unknown option \(argument)")
      default: try write(to: argument)
      }
    }
  }

  private mutating func write(to file: String) throws(UsageError) {
    guard !file.isEmpty else { throw UsageError(message: "the name of the file is empty") }
    guard output == nil else { throw UsageError(message: "more than one file: \(file)") }
    output = file
  }
}

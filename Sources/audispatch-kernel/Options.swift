import Linux
import Enrichment

/// What the command line says.
struct Options {
  struct Mistake: Error, CustomStringConvertible {
    let description: String
  }

  /// What `--help` prints.
  static let usage = """
    Usage: audispatch-kernel [OPTION]...
    Reads the kernel's audit messages and writes them as binary records on standard
    output, as auditd gives them to its plugins.

      --raw                   without names beside numbers
      --node NAME             the node of every record
      --name-format FORMAT    the node: none, hostname, fqd, numeric or user
      --name NAME             the node with --name-format user
      --queue-bytes BYTES     what may wait to be enriched (67108864)
      --receive-buffer BYTES  what is asked of the kernel for the socket (33554432)
      --counters-fd N         a page to count in, which audispatchd gives
      --capture               read a capture of netlink messages on standard input
      -h, --help              print this
      -V, --version           print the version

    Exit status: 0 done, 1 could not go on, 2 usage.

    """

  var content: RecordFormatter.Content = .enriched
  var node: String?
  var nameFormat: NodeName.Format = .none
  var name: String?
  var countersDescriptor: Int32?
  var capture = false
  var help = false
  var version = false
  /// How much of what the kernel sent may wait for the enricher.
  var queueBytes = 64 << 20
  /// What is asked of the kernel for the socket; it reserves nothing.
  var receiveBuffer: Int32 = 32 << 20

  init(_ arguments: ArraySlice<String>) throws(Mistake) {
    var rest = arguments
    while let word = rest.popFirst() {
      switch word {
      case "--raw": content = .raw
      case "--capture": capture = true
      case "--help", "-h": help = true
      case "--version", "-V": version = true
      case "--node": node = try Options.nodeName(word, &rest)
      case "--name": name = try Options.nodeName(word, &rest)
      case "--name-format":
        let value = try Options.value(word, &rest)
        guard let format = NodeName.Format(rawValue: value.lowercased()) else {
          let known = NodeName.Format.allCases.map(\.rawValue).joined(separator: ", ")
          throw Mistake(description: "\(word) \(value): not one of \(known)")
        }
        nameFormat = format
      case "--counters-fd": countersDescriptor = Int32(try Options.number(word, &rest, 3...65_535))
      case "--queue-bytes": queueBytes = try Options.number(word, &rest, 65_536...(4 << 30))
      case "--receive-buffer":
        receiveBuffer = Int32(try Options.number(word, &rest, 1024...(1 << 30)))
      default: throw Mistake(description: "unknown option '\(word)'; see --help")
      }
    }
  }

  private static func value(_ word: String, _ rest: inout ArraySlice<String>) throws(Mistake)
    -> String
  {
    guard let value = rest.popFirst() else { throw Mistake(description: "\(word) needs a value") }
    return value
  }

  /// A name that can stand in a record: what a reader takes up to the next space.
  private static func nodeName(
    _ word: String, _ rest: inout ArraySlice<String>
  ) throws(Mistake) -> String {
    let value = try value(word, &rest)
    guard (1...255).contains(value.utf8.count), value.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F })
    else {
      throw Mistake(description: "\(word): 1 to 255 bytes without spaces and control characters")
    }
    return value
  }

  private static func number(
    _ word: String, _ rest: inout ArraySlice<String>, _ range: ClosedRange<Int>
  ) throws(Mistake) -> Int {
    let value = try value(word, &rest)
    guard let number = Int(value), range.contains(number) else {
      throw Mistake(description: "\(word) \(value): not \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }
}

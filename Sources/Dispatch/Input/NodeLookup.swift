import Configuration
import Linux
import Synchronization

/// Finds the node's name, on a thread of its own: a name server may be silent for longer than anybody
/// can wait.
final class NodeLookup: ThreadWork {
  /// For so long the start waits.
  private static let patience = Duration.seconds(1)

  private let format: NodeName.Format
  private let name: String?
  private let bell: Bell
  private let result = Mutex<Result<String?, NodeName.Failure>?>(nil)

  private init(_ configuration: DaemonConfiguration) throws(SystemError) {
    format = configuration.nameFormat
    name = configuration.nodeName
    bell = try Bell()
  }

  func run() {
    let found: Result<String?, NodeName.Failure>
    do throws(NodeName.Failure) {
      found = .success(try NodeName.resolve(format, name: name))
    } catch { found = .failure(error) }
    result.withLock { $0 = found }
    bell.ring()
  }

  /// The name; where nobody says it in time, what the host calls itself, and why.
  static func node(
    by configuration: DaemonConfiguration
  ) throws -> (name: String?, problem: String?) {
    switch configuration.nameFormat {
    case .none, .hostname, .user:
      return (
        try NodeName.resolve(configuration.nameFormat, name: configuration.nodeName), nil
      )
    case .fqd, .numeric: break
    }
    let lookup = try NodeLookup(configuration)
    try WorkThread(lookup).detach()
    _ = Poll.readable([lookup.bell.number], within: patience)
    if let found = lookup.result.withLock({ $0 }) { return (try found.get(), nil) }
    let host = try NodeName.resolve(.hostname, name: nil)
    return (
      host,
      "name_format = \(configuration.nameFormat.rawValue): no name server has answered within "
        + "\(Int(patience.inSeconds)) s; records are given node=\(host ?? "") until the next start"
    )
  }
}

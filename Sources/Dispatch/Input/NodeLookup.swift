import Configuration
import Linux

/// Finds the node's name, on a thread of its own: a name server may be silent for longer than anybody
/// can wait.
enum NodeLookup {
  /// What the name server said.
  typealias Answer = Result<String?, NodeName.Failure>

  /// Where nobody waits for us.
  private static let patience = Duration.seconds(1)
  /// Where somebody writes to us: auditd's socket has room for some 167 records.
  private static let patienceOfSender = Duration.milliseconds(20)

  private static func resolve(_ configuration: DaemonConfiguration) -> Answer {
    do throws(NodeName.Failure) {
      return .success(
        try NodeName.resolve(configuration.nameFormat, name: configuration.nodeName))
    } catch { return .failure(error) }
  }

  /// How long the start waits for a name server.
  static func patience(_ configuration: DaemonConfiguration, isFed: Bool) -> Duration {
    let local = configuration.localSources
    let isWrittenTo =
      local.contains { if case .unixSocket = $0 { true } else { false } }
      || isFed && (configuration.sources.isEmpty || local.contains(.standardInput))
    return isWrittenTo ? patienceOfSender : patience
  }

  /// The name. Where nobody says it in time it is what the host calls itself, and where somebody writes
  /// to us already, the look-up goes on.
  static func start(by configuration: DaemonConfiguration) -> NodeAtStart {
    let format = configuration.nameFormat
    switch format {
    case .none, .hostname, .user:
      switch resolve(configuration) {
      case .success(let name): return NodeAtStart(name)
      case .failure(let failure):
        return NodeAtStart(nil, "\(failure): records are given no node until the next start")
      }
    case .fqd, .numeric: break
    }
    let patience = patience(
      configuration, isFed: DescriptorKind.isSocket(0) || DescriptorKind.isPipe(0))
    let host = (try? NodeName.resolve(.hostname, name: nil)) ?? nil
    let without = host.map { "node=\($0)" } ?? "no node"
    do throws(SystemError) {
      let lookup = try Errand<Answer> { answer in answer(resolve(configuration)) }
      _ = Poll.readable([lookup.number], within: patience)
      switch lookup.result {
      case .success(let name): return NodeAtStart(name)
      case .failure(let failure):
        return NodeAtStart(host, "\(failure): records are given \(without) until the next start")
      case nil where patience == patienceOfSender:
        return NodeAtStart(
          host,
          "name_format = \(format.rawValue): no name server has answered yet: records are given "
            + "\(without) until one does", lookup)
      case nil:
        return NodeAtStart(
          host,
          "name_format = \(format.rawValue): no name server has answered within "
            + "\(Int(patience.inSeconds)) s: records are given \(without) until the next start")
      }
    } catch { return NodeAtStart(host, "\(error): records are given \(without)") }
  }
}

/// What records that name no node are given as theirs at the start.
public struct NodeAtStart {
  public let name: String?
  /// What is to be said of it.
  public let problem: String?
  let lookup: Errand<NodeLookup.Answer>?

  init(_ name: String?, _ problem: String? = nil, _ lookup: Errand<NodeLookup.Answer>? = nil) {
    (self.name, self.problem, self.lookup) = (name, problem, lookup)
  }
}

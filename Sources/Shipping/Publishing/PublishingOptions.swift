public import AudispatchPlugin
public import Configuration
import EventDocument
import Glibc
public import Linux

/// What a plugin does that publishes messages, beside running as a plugin.
public enum PublishingCommand: Equatable, Sendable {
  case setUp
  case test
}

/// What a plugin is asked for that publishes messages.
public protocol PublishingOptions: NotingOptions, Equatable {
  associatedtype Client: PublishingClient

  /// What has the messages: a `topic`.
  static var store: String { get }
  /// `needs`: the rights for looking up what is stored already; `failing`: what can happen without.
  static var lookUp: (needs: String, failing: String) { get }

  var command: PublishingCommand? { get set }
  var subject: SubjectTemplate { get }
  var credentials: Credentials { get set }
  var tls: TLSFiles { get }
  var publishing: PublishingSettings { get set }

  func makeClient() throws(SystemError) -> Client
}

extension PublishingOptions {
  /// Those of `RefusedFile` and all that `PublishingSettings` has behind it.
  public static var publishingKeywords: [PluginKeyword<Self>] {
    var all = RefusedFile.keywords(
      \Self.publishing.refused,
      about: "where what no \(store) takes goes; none: it is dropped", noting: \.places)
    all += BatchKeywords.all(
      \.publishing.batch, count: ("batch_messages", "messages that are under way together (1000)"),
      bytes: ("batch_bytes", "bytes of those (4M)"), waiting: "a message waits for others (0.1)")
    all += Patience.keywords(\.publishing.patience, standard: Self().publishing.patience)
    all.append(
      .value("form", "FORM", "ecs (default), auditbeat6, laurel, go-libaudit") {
        (o: inout Self, w: Word) throws(Diagnostic) in
        o.publishing.form = try w.choice(DocumentForm.self, for: "form")
      })
    all += DocumentSettings.keywords(
      \.publishing.document, largest: 32 << 20, standard: "1000K")
    all += ProcessSettings.keywords(\.publishing.processes)
    return all + VolumeRules.keywords(\.publishing.volume)
  }

  public mutating func take(_ operands: [Word]) throws(Diagnostic) {
    command = try CommandWord.choice(operands, among: ["setup": .setUp, "test": .test])
  }

  /// Settles what all such plugins have: looks at files, and reads the password unless something is
  /// wrong.
  ///
  /// - Parameters:
  ///   - example: of a server, for whoever named none.
  ///   - more: what else there is to say.
  public mutating func settlePublishing(
    hasServer: Bool, example: String, more: [Diagnostic]
  ) -> [Diagnostic] {
    publishing.patience.settle()
    var found = conflicts(without: [])
    if !hasServer {
      found.append(
        places.problem(
          "server", "no server is named", suggestion: "set server = \(example)"))
    }
    found += tls.problems(places) + publishing.refused.problems(places) + more
    if !found.contains(where: { $0.severity == .error }) {
      do throws(Diagnostic) {
        try credentials.readPassword(places)
      } catch { found.append(error) }
    }
    return found
  }

  /// What `test` stores, by a program of that name.
  public func testMessage(by program: String) -> OutgoingMessage {
    let node = Array(publishing.document.options.host.utf8)
    let now = WallClock.milliseconds
    return OutgoingMessage(
      subject: subject.subject(
        SubjectTemplate.Values(node: node, action: Array("test".utf8))),
      node: node, id: Array("\(program)-test:\(now):\(getpid())".utf8),
      body: Array(#"{"message":"a test by \#(program)"}"#.utf8), milliseconds: UInt64(now))
  }
}

public import AudispatchPlugin
public import Configuration
import Linux

/// What every plugin that writes documents can be asked for about them.
public struct DocumentSettings: Equatable, Sendable {
  /// Where names of users are looked up that the lines do not bring.
  public enum Names: String, CaseIterable, Sendable {
    case host
    case lines
  }

  public var keepsOriginal = false
  public var maximumSize = 1 << 20
  public var names = Names.host
  /// What this host is called; `nil` for its own name.
  public var node: String?

  public init() {}

  /// The keywords `original`, `max_document`, `names`, `node` of a plugin whose options have such
  /// settings.
  ///
  /// - Parameters:
  ///   - largest: bytes that a document may have at most.
  ///   - standard: how many that are without being asked for, in words.
  public static func keywords<Options>(
    _ place: any WritableKeyPath<Options, DocumentSettings> & Sendable, largest: Int,
    standard: String = "1M"
  ) -> [PluginKeyword<Options>] {
    [
      .flag("original", "keep the lines in event.original (form ecs)") {
        $0[keyPath: place].keepsOriginal = $1
      },
      .value(
        "max_document", "SIZE", "bytes of a document; longer ones are cut, and say so (\(standard))"
      ) {
        (o: inout Options, w: Word) throws(Diagnostic) in
        o[keyPath: place].maximumSize = try w.byteCount(in: 4096...largest, for: "max_document")
      },
      .value("names", "WHERE", "host or lines: where this host's users are looked up (host)") {
        (o: inout Options, w: Word) throws(Diagnostic) in
        o[keyPath: place].names = try w.choice(Names.self, for: "names")
      },
      .value("node", "NAME", "what this host is called: as in the lines, where they say it") {
        (o: inout Options, w: Word) throws(Diagnostic) in
        guard (1...255).contains(w.text.utf8.count) else {
          throw w.error("node has 1 to 255 bytes")
        }
        o[keyPath: place].node = w.text
      },
    ]
  }

  /// What the writer of documents goes by. Asks the host for its name, unless that is given.
  public var options: DocumentOptions {
    var options = DocumentOptions()
    options.maximumSize = maximumSize
    options.keepsOriginal = keepsOriginal
    options.host = node ?? (try? NodeName.resolve(.hostname, name: nil)) ?? ""
    options.accounts = names == .host ? .host : .none
    return options
  }
}

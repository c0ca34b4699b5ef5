import Linux

/// How a source is written: `stdin`, `unix:PATH`, `kernel`, `file:PATH`, `tcp:ADDRESS:PORT` or
/// `tls:ADDRESS:PORT`.
extension SourceConfiguration {
  /// Why a text names no source.
  struct Refusal: Error, Equatable {
    var message: String
    var suggestion: String?
  }

  /// Reads a source that is to stand beside others.
  init(_ word: Word, beside others: [SourceConfiguration]) throws(Diagnostic) {
    do throws(Refusal) {
      self = try SourceConfiguration(text: word.text)
      if let conflict = conflict(with: others) { throw conflict }
    } catch { throw word.error(error.message, suggestion: error.suggestion) }
  }

  /// Reads a source as it is written in `source = …` and after `--source`.
  init(text: String) throws(Refusal) {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    let kind = parts[0].lowercased()
    let path = parts.count == 2 ? String(parts[1]) : nil
    switch (kind, path) {
    case ("stdin", nil): self = .standardInput
    case ("kernel", nil): self = .kernel
    case ("stdin", .some), ("kernel", .some):
      throw Refusal(message: "\(kind) takes no path", suggestion: "did you mean '\(kind)'?")
    case ("unix", nil), ("unix", ""), ("file", nil), ("file", ""):
      throw Refusal(message: "\(kind) needs a path", suggestion: "write '\(kind):/PATH'")
    case ("unix", let path?):
      guard path.utf8.count <= 107 else {
        throw Refusal(message: "the path of a socket has at most 107 bytes")
      }
      self = .unixSocket(path)
    case ("file", let path?): self = .file(path)
    case ("tcp", _): self = .tcp(try Self.place(path, kind))
    case ("tls", _): self = .tls(try Self.place(path, kind))
    default:
      var suggestion: String?
      if text == "-" {
        suggestion = "did you mean 'stdin'?"
      } else if let meant = Suggestion.nearest(kind, among: Self.kinds) {
        suggestion = "did you mean '\(meant)\(path.map { ":\($0)" } ?? "")'?"
      } else if text.contains("/") || text.contains(".") {
        suggestion = "did you mean 'file:\(text)'?"
      }
      throw Refusal(
        message: "a source is stdin, unix:PATH, kernel, file:PATH, tcp:ADDRESS:PORT or "
          + "tls:ADDRESS:PORT",
        suggestion: suggestion)
    }
  }

  private static let kinds = ["stdin", "unix", "kernel", "file", "tcp", "tls"]

  /// Where to listen: an address in digits, and a port.
  private static func place(_ text: String?, _ kind: String) throws(Refusal) -> HostAndPort {
    guard let place = HostAndPort(text ?? ""), place.port != nil, HostAddress(place.host) != nil
    else {
      throw Refusal(
        message: "\(kind) needs an address of this host in digits, and a port",
        suggestion: "write '\(kind):192.0.2.1:60', '\(kind):[::1]:60', or '\(kind):[::]:60' for all"
      )
    }
    return place
  }

  /// The path it reads or connects to.
  var path: String? {
    switch self {
    case .standardInput, .kernel, .tcp, .tls: nil
    case .unixSocket(let path), .file(let path): path
    }
  }

  /// Why this one cannot stand beside those before it.
  func conflict(with others: [SourceConfiguration]) -> Refusal? {
    if others.contains(self) { return Refusal(message: "the same source twice") }
    let isFile = if case .file = self { true } else { false }
    let conflicts = others.contains { other in
      if case .file = other { !isFile } else { isFile }
    }
    if conflicts {
      return Refusal(message: "files are read to their end and cannot stand beside a live source")
    }
    if !isFile, place == nil, others.contains(where: { $0.place == nil }) {
      return Refusal(
        message: "a second source of this host",
        suggestion: "keep one of stdin, unix:, kernel; beside it may be tcp: and tls:")
    }
    return nil
  }
}

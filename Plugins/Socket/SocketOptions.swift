import AudispatchPlugin
import Configuration
import Glibc
import Linux

/// How records are given to clients.
enum ClientFormat: String, CaseIterable, Sendable {
  /// A line each.
  case string
  /// Behind a header of 16 bytes.
  case binary
}

/// How long a binary record is.
enum ClientFraming: String, CaseIterable, Sendable {
  /// As the auditd that is installed writes it.
  case installed
  /// 16 bytes and the record's size, as auditd from 4.1.1 on.
  case compact
  /// 8,986 bytes, as auditd up to 4.1.0; the rest is zero.
  case fixed
}

/// What `audispatch-socket` was asked for.
struct SocketOptions: PluginOptions, Equatable {
  var path = "/run/audispd_events"
  var mode: UInt32 = 0o640
  /// The group that the socket is given; as it comes without.
  var group: UInt32?
  var format = ClientFormat.string
  var framing = ClientFraming.installed
  /// Records that may wait for one client.
  var depth = 2000
  /// Bytes of records that may wait for one client.
  var bytes = 1 << 20
  /// How many clients there may be.
  var clients = 64
  /// Whether a client is told of what it missed.
  var gapRecord = true
  /// Where the path stands.
  var place: Word?

  static let keywords: [PluginKeyword<SocketOptions>] = [
    .value("path", "PATH", "the socket", letter: "p", standard: SocketOptions().path) {
      (o: inout SocketOptions, w: Word) throws(Diagnostic) in try o.setPath(w)
    },
    .value("mode", "MODE", "its permissions, octal", letter: "m", standard: "0640") {
      (o: inout SocketOptions, w: Word) throws(Diagnostic) in o.mode = try Self.mode(w)
    },
    .value("group", "GROUP", "its group") {
      (o: inout SocketOptions, w: Word) throws(Diagnostic) in o.group = try w.group()
    },
    .choice("format", "FORMAT", "string or binary", \.format),
    .choice("binary_framing", "HOW", "installed, compact or fixed", \.framing),
    .number("depth", "RECORDS", "how many may wait for one client", \.depth, 1...10_000_000),
    .bytes(
      "bytes", "SIZE", "how many bytes may wait for one client", \.bytes, 16 << 10...1 << 30),
    .number("clients", "COUNT", "how many there may be at once", \.clients, 1...1000),
    .yesOrNo("gap_record", "whether a client is told of what it missed", \.gapRecord),
  ]

  /// `MODE PATH [string|binary] [DEPTH]`, and in the older form path and mode in any order: a
  /// word of digits is the mode, and a second one, or one behind the format, the depth.
  mutating func take(_ operands: [Word]) throws(Diagnostic) {
    var given: Set<String> = []
    for word in operands {
      let kind: String
      if word.text.contains("/") {
        kind = "path"
        try setPath(word)
      } else if !word.text.isEmpty, word.text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
        if given.isDisjoint(with: ["mode", "format"]) {
          kind = "mode"
          mode = try Self.mode(word)
        } else {
          kind = "depth"
          depth = try word.number(in: 1...10_000_000, for: "depth")
        }
      } else if let format = ClientFormat(rawValue: word.text.lowercased()) {
        kind = "format"
        self.format = format
      } else {
        throw word.error(
          "neither a mode nor a path nor string or binary",
          suggestion: Suggestion.near(word.text, among: ["string", "binary"]))
      }
      guard given.insert(kind).inserted else { throw word.error("a second \(kind)") }
    }
  }

  private mutating func setPath(_ word: Word) throws(Diagnostic) {
    path = try word.absolutePath(for: "path")
    guard path.utf8.count <= 107 else { throw word.error("longer than 107 bytes") }
    guard path.utf8.count > 1 else { throw word.error("not a path of a socket") }
    place = word
  }

  private static func mode(_ word: Word) throws(Diagnostic) -> UInt32 {
    guard let mode = UInt32(word.text, radix: 8), mode <= 0o777, !word.text.hasPrefix("+") else {
      throw word.error("mode is an octal number up to 0777")
    }
    return mode
  }

  /// What is at the path, if it is not a socket: it will stay there.
  func settle() -> [Diagnostic] {
    guard let status = try? Files.status(of: path, followingLinks: false), status.kind != .socket
    else { return [] }
    let message = "\(path) is a \(status.kind.rawValue), which is not removed"
    guard let place else { return [Diagnostic(.error, file: "path", message)] }
    return [place.error(message)]
  }
}

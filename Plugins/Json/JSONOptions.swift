import AudispatchPlugin
import Configuration
import EventDocument
import Glibc
import LaurelConfiguration
import Linux
import Shipping

/// What `audispatch-json` was asked for.
struct JSONOptions: PluginOptions, Equatable {
  var form = DocumentForm.ecs
  /// Where documents go: at most one of these; none is standard output.
  var file: String?
  var socket: SocketPlace?
  var program: [String] = []

  /// Who may read the file beside root.
  var group: UInt32 = 0
  var maximumSize = 8 << 20
  /// With the one that is written.
  var fileCount = 5
  /// Whether the disk must have a document before it is confirmed.
  var syncs = false

  var prefix = ""
  var document = DocumentSettings()
  var places: [String: Word] = [:]
  var processes = ProcessSettings()
  var volume = VolumeRules()
  /// Laurel's own file, whose settings hold where nothing else is said.
  var laurelFile: Word?
  var laurel = LaurelSettings()

  static let keywords: [PluginKeyword<JSONOptions>] =
    outputKeywords + DocumentSettings.keywords(\.document, largest: 64 << 20) + [laurelKeyword]
    + ProcessSettings.keywords(\.processes) + VolumeRules.keywords(\.volume)

  private static let outputKeywords: [PluginKeyword<JSONOptions>] = [
    .value("form", "FORM", "ecs, auditbeat6, laurel, go-libaudit") {
      (o: inout JSONOptions, w: Word) throws(Diagnostic) in
      o.form = try w.choice(DocumentForm.self, for: "form")
      o.places["form"] = w
    },
    .value("file", "FILE", "write into this file", letter: "f") {
      (o: inout JSONOptions, w: Word) throws(Diagnostic) in
      o.file = try w.absolutePath(for: "file")
      o.places["file"] = w
    },
    .value("file_group", "GROUP", "who may read it beside root") {
      (o: inout JSONOptions, w: Word) throws(Diagnostic) in o.group = try w.group()
    },
    .value("max_file", "SIZE", "how large it may become: bytes, or with K, M or G") {
      (o: inout JSONOptions, w: Word) throws(Diagnostic) in
      o.maximumSize = try w.byteCount(in: 4096...1 << 40, for: "max_file")
      o.places["max_file"] = w
    },
    .value("num_files", "COUNT", "how many files are kept when it is rotated") {
      (o: inout JSONOptions, w: Word) throws(Diagnostic) in
      o.fileCount = try w.number(in: 2...999, for: "num_files")
      o.places["num_files"] = w
    },
    .flag("sync", "have the disk take what is written before it counts as done") {
      $0.syncs = $1
    },
    .value("socket", "ADDRESS", "write to unix:PATH or tcp://HOST:PORT") {
      (o: inout JSONOptions, w: Word) throws(Diagnostic) in
      o.socket = try SocketPlace(w)
      o.places["socket"] = w
    },
    PluginKeyword("program", "PROGRAM", "write to the standard input of a program") {
      (o: inout JSONOptions, s: Setting) throws(Diagnostic) in
      guard let first = s.values.first else { return }
      o.program = [try first.absolutePath(for: "program")] + s.values.dropFirst().map(\.text)
      o.places["program"] = first
    },
    .value("prefix", "TEXT", "what stands in front of each document, as '@cee: '") {
      (o: inout JSONOptions, w: Word) throws(Diagnostic) in
      guard !w.text.utf8.contains(0x0a) else { throw w.error("prefix has one line") }
      o.prefix = w.text
      o.places["prefix"] = w
    },
  ]

  mutating func settle() -> [Diagnostic] {
    let conflicts = conflicts(without: [])
    return conflicts + takeLaurelFile() + objections
  }

  func conflicts(without wrong: Set<String>) -> [Diagnostic] {
    let given = ["file", "socket", "program"].filter { places[$0] != nil }
    guard given.count > 1, let word = places[given[1]] else { return [] }
    return [
      word.error(
        "documents go to one place, and '\(given[0])' is given too",
        suggestion: "let a second plugin write to the other")
    ]
  }

  /// What is not there, or is not what it should be.
  private var objections: [Diagnostic] {
    var found: [Diagnostic] = []
    if file == nil, socket == nil, program.isEmpty, Self.outputIsLog {
      found.append(
        Diagnostic(
          .error, file: "file",
          "documents would go to standard output, of which audispatchd shows some lines as messages",
          suggestion: "set file, socket or program, or output = pass in the plugin's file"))
    }
    if let file, let word = places["file"] {
      if let status = try? Files.status(of: file), status.kind != .regular {
        found.append(word.error("\(file) is a \(status.kind.rawValue), not a file"))
      }
      let folder = Files.folder(of: file)
      if let status = try? Files.status(of: folder), status.kind != .directory {
        found.append(word.error("\(folder) is a \(status.kind.rawValue), not a folder"))
      }
      if let refusal = WriteAccess.refusal(file) { found.append(word.error("\(refusal)")) }
    }
    if let path = program.first, let word = places["program"],
      unsafe access(path, X_OK) != 0
    {
      found.append(word.error("\(path) cannot be executed: \(Errno.current)"))
    }
    return found
  }

  /// What a dispatcher of ours makes of what this program prints; auditd does not say.
  private static var outputIsLog: Bool {
    guard let kind = unsafe getenv("AUDISPATCH_OUTPUT") else { return false }
    return unsafe String(cString: kind) == PluginOutput.log.rawValue
  }

  /// Whether documents go where those of the other go.
  func hasPlace(of other: JSONOptions) -> Bool {
    file == other.file && socket == other.socket && program == other.program
  }

  var documents: DocumentOptions {
    var options = document.options
    options.laurel = laurel
    return options
  }

  /// What is to be known of processes.
  var processRequest: ProcessRequest {
    ProcessRequest(processes, form, host: documents.host, volume)
  }
}

/// A socket that documents are written to.
enum SocketPlace: Equatable, Sendable {
  case unix(path: String)
  case tcp(host: String, port: UInt16)

  init(_ word: Word) throws(Diagnostic) {
    let text = word.text
    if text.hasPrefix("unix:") {
      let path = String(text.dropFirst(5))
      guard path.hasPrefix("/"), path.utf8.count < 108 else {
        throw word.error("the socket is an absolute path of at most 107 bytes")
      }
      self = .unix(path: path)
    } else if text.hasPrefix("tcp://"), let (host, port) = Self.split(text.dropFirst(6)) {
      self = .tcp(host: host, port: port)
    } else {
      throw word.error("not an address", suggestion: "write unix:PATH or tcp://HOST:PORT")
    }
  }

  /// `HOST:PORT`, `[ADDRESS]:PORT`.
  private static func split(_ place: Substring) -> (String, UInt16)? {
    guard let colon = place.lastIndex(of: ":"),
      let port = UInt16(place[place.index(after: colon)...]),
      port > 0
    else { return nil }
    var host = place[..<colon]
    if host.hasPrefix("["), host.hasSuffix("]") {
      host = host.dropFirst().dropLast()
    } else if host.contains(":") {
      return nil
    }
    return host.isEmpty ? nil : (String(host), port)
  }

  var description: String {
    switch self {
    case .unix(let path): path
    case .tcp(let host, let port): "\(host) port \(port)"
    }
  }
}

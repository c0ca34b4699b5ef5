import Configuration
import Glibc
import Linux

/// `mode = forward` where auditd starts the plugin: audispatchd takes its place, with the plugin as its
/// only one. So the queue on disk is audispatchd's log, and not another implementation of one.
struct OwnDispatcher {
  /// In the place of `/run/audispatch`.
  var runtimeFolder = "/run/audispatch-remote"
  var spool: String
  var daemon: String

  /// `nil` where there is no audispatchd: beside this program, or installed.
  init?(_ options: RemoteOptions) {
    let places = [Files.folder(of: Self.ownPath ?? "/"), "/usr/sbin"].map { $0 + "/audispatchd" }
    guard let daemon = places.first(where: { unsafe access($0, X_OK) == 0 }) else { return nil }
    self.daemon = daemon
    spool = Self.spool(options)
  }

  /// Beside what audisp-remote uses as its queue.
  static func spool(_ options: RemoteOptions) -> String {
    Files.folder(of: options.queueFile ?? LegacyQueue.usualPath) + "/audispatch-remote"
  }

  /// Whether nobody else keeps what is not sent, and it shall be kept on disk.
  static func isWanted(_ options: RemoteOptions) -> Bool {
    let isKept = unsafe getenv("AUDISPATCH_PLUGIN") != nil
    return options.mode == .forward && !isKept && DescriptorKind.isSocket(0)
  }

  /// Goes on as audispatchd; returns only by failing.
  func become(arguments: [String]) throws {
    let plugins = runtimeFolder + "/plugins.d"
    for folder in [runtimeFolder, plugins] { try Self.makeFolder(folder, mode: 0o755) }
    try Self.makeFolder(Files.folder(of: spool), mode: 0o700)
    try Self.write(daemonText, to: runtimeFolder + "/audispatchd.conf")
    try Self.write(try pluginText(arguments), to: plugins + "/remote.conf")
    Signals.reset()
    let command = [
      daemon, "--source", "stdin", "--config", runtimeFolder + "/audispatchd.conf",
      "--plugin-dir", plugins, "--runtime-dir", runtimeFolder + "/state",
    ]
    let argv = unsafe command.map { unsafe strdup($0) } + [nil]
    defer { unsafe argv.forEach { unsafe free($0) } }
    unsafe execv(daemon, argv)
    throw SystemError("execute", daemon, .current)
  }

  var daemonText: String { "spool_dir = \(spool)\n" }

  func pluginText(_ arguments: [String]) throws(Unwritable) -> String {
    var words: [String] = []
    for argument in arguments {
      let quotes: [Character] = ["\"", "'"]
      guard let quote = quotes.first(where: { !argument.contains($0) }) else {
        throw Unwritable(argument: argument)
      }
      words.append("\(quote)\(argument)\(quote)")
    }
    var lines = [
      "active = yes", "direction = out", "path = \(Self.ownPath ?? "audispatch-remote")",
      "type = always", "format = string", "confirm = yes", "overflow_action = lossless",
    ]
    if !words.isEmpty { lines.append("args = " + words.joined(separator: " ")) }
    return lines.map { $0 + "\n" }.joined()
  }

  struct Unwritable: Error, CustomStringConvertible {
    let argument: String
    var description: String { "an argument with both kinds of quotes: \(argument)" }
  }

  private static var ownPath: String? { try? Files.resolved("/proc/self/exe") }

  private static func makeFolder(_ path: String, mode: UInt32) throws(SystemError) {
    guard unsafe mkdir(path, mode) == 0 || errno == EEXIST else {
      throw SystemError("create", path, .current)
    }
  }

  /// In its place at once or not at all: another generation may be reading it.
  private static func write(_ text: String, to path: String) throws(SystemError) {
    let new = "\(path).\(getpid())"
    let file = try Descriptor.open(new, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o640)
    do throws(Errno) {
      try Transfer.writeAll(file.number, Array(text.utf8))
    } catch { throw SystemError("write", new, error) }
    guard unsafe rename(new, path) == 0 else { throw SystemError("rename", new, .current) }
  }
}

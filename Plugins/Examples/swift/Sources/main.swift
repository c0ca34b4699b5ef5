// watch --key=KEY --file=FILE: appends every event with the rule key KEY to FILE.
// plugins.d: path = /usr/local/libexec/watch, args = --key=KEY --file=FILE
import AudispatchPlugin
import Glibc
import Linux

struct Options: PluginOptions {
  var key = "watch"
  var file = "/var/log/watch.log"
  static let keywords: [PluginKeyword<Options>] = [
    .value("key", "KEY", "the rule's key") { $0.key = $1.text },
    .value("file", "FILE", "where to write") { $0.file = $1.text },
  ]
}

/// What `handle` has returned from is confirmed, if the dispatcher asks for it.
struct Watch: AuditPlugin, ~Copyable {
  let key: [UInt8]
  let file: Descriptor

  init(_ options: Options) throws {
    key = Array(options.key.utf8)
    file = try Self.open(options.file)
  }
  /// What a full disk has cut off gets its newline, and comes again.
  static func open(_ path: String) throws -> Descriptor {
    let file = try Descriptor.open(path, O_RDWR | O_CREAT | O_APPEND)
    let size = try file.size()
    if size > 0, try file.bytes(at: size - 1, count: 1) != Array("\n".utf8) {
      try Transfer.writeAll(file.number, Array("\n".utf8))
    }
    return file
  }
  func handle(_ event: AuditEvent) throws {
    guard event.ruleKeys().contains(key) else { return }
    let lines = event.records.flatMap { event.bytes[$0.line] + [UInt8(ascii: "\n")] }
    try Transfer.writeAll(file.number, lines)
  }
  mutating func reload(_ options: Options) throws { self = try Watch(options) }
}

PluginProgram("watch", options: Options.self).main { session in
  var plugin = try Watch(session.options)
  try session.run(&plugin)
}

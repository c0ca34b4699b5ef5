// fields: a plugin that looks at every field of every event and says how many there were.
// What the library costs, for `bench kit`.
import AudispatchPlugin

struct NoOptions: PluginOptions {
  static let keywords: [PluginKeyword<NoOptions>] = []
}

struct Fields: AuditPlugin, ~Copyable {
  var fields = 0

  mutating func handle(_ event: AuditEvent) {
    for record in event.records {
      var scanner = FieldScanner(body: record.body, end: record.line.upperBound)
      while scanner.next(event.bytes.span) != nil { fields += 1 }
    }
  }
  mutating func reload(_ options: NoOptions) {}
}

PluginProgram("fields", options: NoOptions.self).main { session in
  var plugin = Fields()
  try session.run(&plugin)
  print("fields=\(plugin.fields)")
}

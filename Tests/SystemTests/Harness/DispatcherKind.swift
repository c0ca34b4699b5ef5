import Foundation
import Testing

/// Which dispatcher a conformance case is tried with.
enum DispatcherKind: String, CaseIterable, Sendable, CustomTestStringConvertible {
  case auditd309 = "auditd 3.0.9"
  case ours = "audispatchd"

  var testDescription: String { rawValue }

  /// Starts it with these plugins; settings are `audispatchd.conf`'s and `auditd.conf`'s words.
  func start(
    _ plugins: [PluginFile], settings: [String: String] = [:], scratch: Scratch
  ) async throws -> any Dispatcher {
    switch self {
    case .auditd309:
      try await RealAuditd(plugins, settings: settings, scratch: scratch)
    case .ours:
      try await Audispatchd(
        plugins, settings: settings.sorted { $0.key < $1.key }.map { "\($0) = \($1)" },
        scratch: scratch)
    }
  }
}

/// What a case expects of auditd 3.0.9 and of ours.
struct Expected<Value: Sendable>: Sendable {
  let auditd309: Value
  let ours: Value

  init(auditd309: Value, ours: Value) {
    self.auditd309 = auditd309
    self.ours = ours
  }

  init(both value: Value) { self.init(auditd309: value, ours: value) }

  subscript(kind: DispatcherKind) -> Value {
    switch kind {
    case .auditd309: auditd309
    case .ours: ours
    }
  }
}

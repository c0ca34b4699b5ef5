import Foundation
import Testing

/// Which dispatcher a conformance case is tried with.
enum DispatcherKind: String, CaseIterable, Sendable, CustomTestStringConvertible {
  case auditd309 = "auditd 3.0.9"
  case ours = "audispatchd"

  var testDescription: String { rawValue }

  /// Starts it with these plugins; settings are `audispatchd.conf`'s and `auditd.conf`'s words.
  func start(
    _ plugins: [PluginFile], settings: [String: String] = [:], audit: KernelAudit? = nil,
    scratch: Scratch
  ) async throws -> any Dispatcher {
    switch self {
    case .auditd309:
      try await RealAuditd(plugins, settings: settings, audit: audit, scratch: scratch)
    case .ours:
      try await Audispatchd(
        plugins, settings: settings.sorted { $0.key < $1.key }.map { "\($0) = \($1)" },
        scratch: scratch)
    }
  }

  /// auditd obeys SIGHUP and SIGUSR2 only when the kernel tells it who sent them: the kernel's
  /// audit must then be its own.
  func withSignals(_ body: (KernelAudit?) async throws -> Void) async throws {
    switch self {
    case .auditd309:
      if !KernelAudit.isHere { try skipCase(KernelAudit.why) }
      try await KernelAudit.hold { try await body($0) }
    case .ours: try await body(nil)
    }
  }
}

/// Ends a case that cannot run here, and says so: of a test with several the end of one is reported
/// nowhere else.
func skipCase(_ why: Comment) throws -> Never {
  print("➜ Test \(Test.current?.name ?? "?"), a case of it, skipped: \"\(why)\"")
  try Test.cancel(why)
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

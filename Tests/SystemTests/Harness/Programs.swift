import Foundation

/// The executables that the tests use: the package's own, and small C programs compiled once.
enum Programs {
  /// Where the package's executables are: beside the test bundle.
  static let products: String = {
    let given = ProcessInfo.processInfo.environment["AUDISPATCH_PRODUCTS"]
    return given ?? Bundle.module.bundleURL.deletingLastPathComponent().path
  }()

  static func product(_ name: String) -> String { products + "/" + name }

  static func source(_ name: String) -> String {
    Bundle.module.bundleURL.appendingPathComponent("Programs/" + name).path
  }

  static func fixture(_ name: String) -> String {
    Bundle.module.bundleURL.appendingPathComponent("Fixtures/" + name).path
  }

  /// The plugin with many manners; see its source.
  static func plugin() async throws -> String { try await compiled.value(of: "plugin", []) }
  /// Reports what it may do; see its source.
  static func confined() async throws -> String { try await compiled.value(of: "confined", []) }
  /// Asks a line of a unix socket; see its source.
  static func ask() async throws -> String { try await compiled.value(of: "ask", []) }
  /// Hands descriptors over as a service manager does; see its source.
  static func handover() async throws -> String { try await compiled.value(of: "handover", []) }
  /// Executes a program with a terminal that nobody reads as standard error.
  static func terminal() async throws -> String { try await compiled.value(of: "terminal", []) }
  /// Does to a plugin what auditd 4.2.1 and its unit do; see its source.
  static func auditd42() async throws -> String { try await compiled.value(of: "auditd42", []) }
  /// Executes itself as another user.
  static func execs() async throws -> String { try await compiled.value(of: "execs", ["-static"]) }

  /// Writes a file by io_uring.
  static func uring() async throws -> String { try await compiled.value(of: "uring", ["-static"]) }

  /// To be preloaded: syncs that do nothing.
  static func nosync() async throws -> String {
    try await compiled.value(of: "nosync", ["-shared", "-fPIC"])
  }

  private static let compiled = Compiled()

  private actor Compiled {
    private let scratch = Result { try Scratch() }
    private var made: [String: Task<String, any Error>] = [:]

    func value(of name: String, _ flags: [String]) async throws -> String {
      if let task = made[name] { return try await task.value }
      let scratch = try scratch.get()
      let task = Task {
        let program = scratch(name)
        let outcome = try await run(
          "/usr/bin/cc", ["-O2", "-o", program] + flags + [Programs.source(name + ".c")])
        guard outcome.end == .exited(0) else { throw Timeout(description: outcome.error) }
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program)
        return program
      }
      made[name] = task
      return try await task.value
    }
  }
}

/// Whether what a test needs is here.
enum Host {
  static let isRoot = geteuid() == 0

  static let hasLoopDevices =
    has("/sbin/mkfs.ext4", "/bin/mount", "/usr/bin/truncate", "/usr/bin/cmp")
    && FileManager.default.isWritableFile(atPath: "/dev/loop-control")

  static func has(_ programs: String...) -> Bool {
    isRoot && programs.allSatisfy { FileManager.default.isExecutableFile(atPath: $0) }
  }
}

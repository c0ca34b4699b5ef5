import Foundation
import Testing

extension KernelAudit {
  /// Our daemon with the kernel's records, and audispatch-integrity that has looked at everything once.
  ///
  /// It is started when records come: one that was made while the daemon joined the kernel's group is
  /// missing, and what was looked at before that is not certain to be as it was.
  func dispatcher(with plugin: PluginFile, _ scratch: Scratch) async throws -> Audispatchd {
    let copy = PluginFile("copy", try await Programs.plugin(), ["copy", scratch("records")])
    let daemon = try await Audispatchd([copy], source: "kernel", scratch: scratch)
    try register(daemon.child.pid)
    try await eventually("the kernel's records come") {
      try await auditctl("-m", "first")
      return scratch.text("records").contains("first")
    }
    try daemon.files.write(plugin)
    daemon.reload()
    // The first scan says that all is as the baseline has it, from when on changes are whole.
    try await eventually("everything was looked at", detail: { daemon.messages }) {
      daemon.messages.contains("all is as it was")
    }
    return daemon
  }
}

/// audispatch-integrity while it looks after audit rules of its own.
enum IntegrityRules {
  /// Runs `body`, which starts the plugin under a dispatcher and ends that, and removes the plugin's
  /// rules, whatever way it went. As long as the plugin lives, it loads them again.
  static func unloaded(
    after body: () async throws -> Void, program: String, configuration: String
  ) async throws {
    let result: Result<Void, any Error>
    do {
      try await body()
      result = .success(())
    } catch { result = .failure(error) }
    // Its dispatcher was killed, if by nothing else, when `body` let go of it.
    do {
      try await eventually("audispatch-integrity ends", within: .seconds(20)) {
        process(with: configuration) == nil
      }
    } catch {
      Issue.record(error)
      if let pid = process(with: configuration) { kill(pid, SIGKILL) }
    }
    let unloaded = try await run(program, ["--config", configuration, "unload"])
    #expect(unloaded.end == .exited(0), "\(unloaded.error)")
    try result.get()
  }

  /// The process that runs with this configuration.
  static func process(with configuration: String) -> pid_t? {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return names.compactMap { pid_t($0) }.first { pid in
      let words = contents("/proc/\(pid)/cmdline").split(separator: 0)
      return words.first.map { $0.suffix(21).elementsEqual("/audispatch-integrity".utf8) } == true
        && words.contains { $0.elementsEqual(configuration.utf8) }
    }
  }
}

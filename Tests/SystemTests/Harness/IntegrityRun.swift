import Foundation
import Testing

extension KernelAudit {
  /// Our daemon with the kernel's records, and audispatch-integrity that knows since when the stream is
  /// whole: it is started before the daemon joins the kernel's group, and finds that out by itself.
  func dispatcher(with plugin: PluginFile, _ scratch: Scratch) async throws -> Audispatchd {
    let daemon = try await Audispatchd([plugin], source: "kernel", scratch: scratch)
    try register(daemon.child.pid)
    try await eventually("the stream is whole", detail: { daemon.messages }) {
      daemon.messages.contains("stream: it is whole since the last scan of everything began")
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

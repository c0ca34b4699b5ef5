import Configuration
import Linux

/// A host whose only files are the two of the input, divided at the first NUL.
private func environment(_ files: [String: [UInt8]]) -> LoadEnvironment {
  let root = FileStatus(kind: .directory, owner: 0, mode: 0o755)
  let file = FileStatus(kind: .regular, owner: 0, mode: 0o755)
  return LoadEnvironment(
    files: FileAccess(
      status: { .success(files[$0] == nil && !$0.hasSuffix("tool") ? root : file) },
      linkStatus: { .success(files[$0] == nil && !$0.hasSuffix("tool") ? root : file) },
      names: { _ in .success(["a.conf", ".hidden", "b.c.conf"]) },
      resolved: { .success($0) },
      contents: { path, limit in
        .success(file, files[path].map { Array($0.prefix(limit)) })
      }),
    user: 0, daemonExecutable: "/usr/sbin/audispatchd")
}

/// The lines and columns that a diagnostic names are there.
private func check(_ diagnostic: Diagnostic, _ files: [String: [UInt8]]) {
  require(!diagnostic.message.isEmpty, "no message")
  require(!diagnostic.description.contains("\n"), "more than a line: \(diagnostic)")
  guard let position = diagnostic.position, let bytes = files[diagnostic.file] else { return }
  let lines = bytes.split(separator: 0x0a, omittingEmptySubsequences: false)
  require((1...lines.count).contains(position.line), "no such line: \(diagnostic)")
  require(
    (1...lines[position.line - 1].count + 1).contains(position.column),
    "no such column: \(diagnostic)")
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzConfiguration(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let input = Array(unsafe UnsafeBufferPointer(start: data, count: count))
  let parts = input.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
  var request = ConfigurationRequest()
  request.daemonFile = .named("/etc/audispatch/audispatchd.conf")
  request.pluginDirectory = "/etc/audispatch/plugins.d"
  let files = [
    "/etc/audispatch/audispatchd.conf": Array(parts[0]),
    "/etc/audispatch/plugins.d/a.conf": parts.count > 1 ? Array(parts[1]) : input,
  ]
  let loaded = LoadedConfiguration(request, environment(files))
  require(loaded == LoadedConfiguration(request, environment(files)), "not the same twice")
  for diagnostic in loaded.diagnostics { check(diagnostic, files) }
  require(!loaded.report.isEmpty, "no report")
  for plugin in loaded.plugins where plugin.isActive {
    require(plugin.path.hasPrefix("/"), "active without an executable")
    require((1...10_000_000).contains(plugin.queueDepth), "queue depth out of range")
  }
  return 0
}

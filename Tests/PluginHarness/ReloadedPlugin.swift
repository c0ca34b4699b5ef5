import Glibc

extension PluginRun {
  /// A plugin that reads the file `conf` in its folder, of these lines.
  public static func reading(_ lines: [String], _ program: String) throws -> PluginRun {
    let folder = try makeFolder()
    try TestFolder.write(text(lines), to: "\(folder)/conf")
    return try PluginRun(
      program, ["--config", "DIR/conf"], first: 1, folder: folder, isOwner: true)
  }

  /// Has it read other lines.
  public func reload(_ lines: [String]) throws {
    try put(Self.text(lines), in: "conf")
    signal(SIGHUP)
  }

  private static func text(_ lines: [String]) -> String { lines.map { $0 + "\n" }.joined() }
}

import Linux

/// The socket at which an audispatch-socket listens: what its arguments say, or else its file.
struct ServedSocket {
  let path: String

  /// `nil` for another plugin. Reads a file where no argument names the path.
  init?(_ plugin: PluginConfiguration, _ files: FileAccess) {
    guard Files.lastPart(of: plugin.path) == "audispatch-socket" else { return nil }
    var file = "/etc/audispatch/socket.conf"
    var path: String?
    var arguments = plugin.arguments[...]
    while let word = arguments.popFirst() {
      switch word {
      case "--path", "-p": path = arguments.popFirst() ?? path
      case "--config": file = arguments.popFirst() ?? file
      case _ where word.hasPrefix("--path="): path = String(word.dropFirst(7))
      case _ where word.hasPrefix("--config="): file = String(word.dropFirst(9))
      case _ where word.hasPrefix("/"): path = word
      default: break
      }
    }
    if path == nil, case .success(_, let bytes?) = files.contents(file, 64 << 10) {
      path = ConfigurationText(bytes, file: file).settings.last(named: "path")?.values.first?.text
    }
    self.path = path ?? "/run/audispd_events"
  }

  /// Whether another path leads to the same place: `/var/run` is a link.
  func isSame(as other: String, _ files: FileAccess) -> Bool {
    func place(_ path: String) -> String {
      let folder = (try? files.resolved(Files.folder(of: path)).get()) ?? Files.folder(of: path)
      return folder + "/" + Files.lastPart(of: path)
    }
    return path == other || place(path) == place(other)
  }
}

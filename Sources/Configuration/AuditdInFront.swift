import Linux

/// The auditd that starts audispatchd on this host, as its files and its version show it, and what
/// of its ways its operator should know. Nothing here is wrong with audispatchd's own files.
public struct AuditdInFront: Sendable {
  static let settingsFile = "/etc/audit/auditd.conf"
  static let standardPlugins = "/etc/audit/plugins.d"
  /// In the order in which systemd looks.
  static let units = ["/etc", "/run", "/usr/lib", "/lib"].map { "\($0)/systemd/system" }

  /// As `auditctl -v` gives it; empty when it is not known.
  let version: [Int]
  /// Of auditd.conf: words in lower case, the last value of each.
  private var settings: [String: String] = [:]
  /// The file of auditd's that names us.
  private let file: String
  /// How many arguments that gives.
  private var arguments = 0
  /// The executables of auditd's other active plugins, by their files.
  private var others: [(file: String, path: String)] = []
  private let stopsMixed: Bool

  /// `nil` when no file of auditd's makes audispatchd its plugin or dispatcher, or when those files
  /// may not be read.
  ///
  /// - Parameter version: asked only when there is one.
  public init?(_ files: FileAccess = .system, version: () -> [Int]?) {
    for setting in Self.settings(in: Self.settingsFile, files) {
      settings[setting.keyword.text.lowercased()] = setting.values.first?.text.lowercased()
    }
    var ours: String?
    if let dispatcher = settings["dispatcher"], Self.isOurs(dispatcher) { ours = Self.settingsFile }
    let folder = settings["plugin_dir"].map(withoutSlash) ?? Self.standardPlugins
    for name in ((try? files.names(folder).get()) ?? []).sorted() where Self.isRead(name) {
      let path = "\(folder)/\(name)"
      var plugin: [String: [String]] = [:]
      for setting in Self.settings(in: path, files) {
        plugin[setting.keyword.text.lowercased()] = setting.values.map(\.text)
      }
      guard plugin["active"]?.first?.lowercased() == "yes", let program = plugin["path"]?.first
      else { continue }
      if Self.isOurs(program) {
        ours = path
        arguments = plugin["args"]?.count ?? 0
      } else {
        others.append((path, program))
      }
    }
    guard let ours else { return nil }
    file = ours
    stopsMixed = Self.stopsMixed(files)
    self.version = version() ?? []
  }

  private static func settings(in path: String, _ files: FileAccess) -> [Setting] {
    guard case .success(_, let bytes?) = files.contents(path, ConfigurationText.fileLimit) else {
      return []
    }
    return ConfigurationText(bytes, file: path).settings
  }

  private static func isOurs(_ program: String) -> Bool {
    Files.lastPart(of: program) == "audispatchd"
  }

  /// auditd passes over hidden files and names with two dots; the backups of editors that it reads
  /// up to 4.0.2 are nobody's intention.
  private static func isRead(_ name: String) -> Bool {
    !name.hasPrefix(".") && (name.hasSuffix(".conf") || !name.contains("."))
      && name.count { $0 == "." } < 2
  }

  /// Whether systemd kills what is left when auditd itself has ended.
  private static func stopsMixed(_ files: FileAccess) -> Bool {
    for folder in units {
      let path = "\(folder)/auditd.service"
      guard case .success(_, let bytes?) = files.contents(path, 64 << 10) else { continue }
      return String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        .contains { $0.filter { !$0.isWhitespace } == "KillMode=mixed" }
    }
    return false
  }

  private func isFrom(_ first: [Int]) -> Bool {
    !version.isEmpty && !version.lexicographicallyPrecedes(first)
  }

  private var name: String {
    version.isEmpty ? "auditd" : "auditd \(version.map(String.init).joined(separator: "."))"
  }

  /// What to know, what to change first.
  ///
  /// - Parameters:
  ///   - plugins: ours; `nil` when they are not known.
  ///   - wait: what `reload_wait` says.
  public func traps(
    for plugins: [PluginConfiguration]?, reloadWait wait: Duration? = nil
  ) -> [Diagnostic] {
    var found = doubles(plugins ?? []) + [cutRecords, cutArguments, lossyPipe].compactMap(\.self)
    if isFrom([4, 2]), wait == .zero {
      found.append(
        Diagnostic(
          .note, file: file, "\(name) ends all its plugins at each SIGHUP and starts them again",
          suggestion: "with reload_wait = auto what audispatchd has started goes on meanwhile"))
    }
    let losing = (plugins ?? []).filter {
      $0.isActive && $0.overflowAction != .spill && $0.overflowAction != .lossless
    }
    if stopsMixed, plugins == nil || !losing.isEmpty {
      let names = losing.map(\.name).joined(separator: ", ")
      found.append(
        Diagnostic(
          .note, file: file,
          "systemd kills audispatchd as soon as auditd has stopped (KillMode=mixed): what is queued "
            + "in memory then is lost" + (names.isEmpty ? "" : " for \(names)"),
          suggestion: "overflow_action = spill or lossless keeps it"))
    }
    return found
  }

  /// A plugin that both start gets everything twice.
  private func doubles(_ plugins: [PluginConfiguration]) -> [Diagnostic] {
    plugins.filter(\.isActive).flatMap { plugin in
      others.filter { $0.path == plugin.path }.map { other in
        Diagnostic(
          .warning, file: other.file, "auditd starts \(plugin.path) too: it gets everything twice",
          suggestion: "set active = no here, or in \(plugin.file)")
      }
    }
  }

  private var cutRecords: Diagnostic? {
    let isRaw = settings["log_format"] == "raw"
    let hasNode = settings["name_format"].map { $0 != "none" } ?? false
    guard isRaw, !hasNode, isFrom([4, 2]), !isFrom([4, 2, 2]) else { return nil }
    return Diagnostic(
      .warning, file: Self.settingsFile,
      "\(name) cuts the last 16 bytes off each of the kernel's records to plugins",
      suggestion: "set log_format = ENRICHED, or a name_format")
  }

  private var cutArguments: Diagnostic? {
    guard arguments > 2, !version.isEmpty, !isFrom([4, 0, 1]) else { return nil }
    return Diagnostic(
      .warning, file: file, "\(name) passes on two arguments, and here are \(arguments)",
      suggestion: "audispatchd.conf can say the rest")
  }

  private var lossyPipe: Diagnostic? {
    guard file == Self.settingsFile, settings["disp_qos"] != "lossless" else { return nil }
    return Diagnostic(
      .warning, file: file,
      "disp_qos = lossy: \(name) drops records, uncounted, when they come faster than they are read",
      suggestion: "set disp_qos = lossless; audispatchd never holds auditd up for a plugin")
  }
}

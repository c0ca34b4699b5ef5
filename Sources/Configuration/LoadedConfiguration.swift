public import Linux

/// Which configuration is asked for.
public struct ConfigurationRequest: Equatable, Sendable {
  /// Where `audispatchd.conf` is.
  public enum DaemonFile: Equatable, Sendable {
    /// In its usual place, and it may be missing.
    case standard
    /// Named, and so it must be there.
    case named(String)
    /// In a folder, as 2.8's `-c DIR`: `audispd.conf`, else `audispatchd.conf`.
    case folder(String)
  }

  public static let standardDaemonFile = "/etc/audispatch/audispatchd.conf"

  public var daemonFile = DaemonFile.standard
  // What the command line says; it stands over the file.
  /// None: as the file says.
  public var sources: [SourceConfiguration] = []
  public var inputFraming: InputFraming?
  public var pluginDirectory: String?
  public var runtimeDirectory: String?

  public init() {}
}

/// What loading needs to know about the host and the process.
public struct LoadEnvironment: Sendable {
  public var files: FileAccess
  /// The daemon's uid, which may own files and folders beside root.
  public var user: UInt32
  /// The daemon's own executable, absolute and without links; our plugins may be beside it.
  public var daemonExecutable: String
  /// Which version of landlock the kernel has; 0: none.
  public var landlockVersion: Int
  /// A folder that the daemon makes before it starts a plugin: it need not be there yet.
  public var runtimeDirectory: String?
  /// Plugins of which something has not answered before: nothing of them is touched.
  public var silentPlugins: Set<String> = []
  /// Is told of which plugin something is touched next; `nil`: of none.
  public var begins: @Sendable (String?) -> Void = { _ in }

  public init(
    files: FileAccess = .system, user: UInt32, daemonExecutable: String,
    landlockVersion: Int = Landlock.version
  ) {
    self.files = files
    self.user = user
    self.daemonExecutable = daemonExecutable
    self.landlockVersion = landlockVersion
  }
}

/// The whole configuration, read and checked before anything acts on it.
public struct LoadedConfiguration: Equatable, Codable, Sendable {
  public private(set) var daemon = DaemonConfiguration()
  /// The file that the daemon's part was read from, if there is one.
  public private(set) var daemonFile: String?
  /// False: it must not be started with, and at reload the one before stays.
  public private(set) var isDaemonUsable = true
  /// Active and inactive, in the order of the files' names; no two with one name.
  public private(set) var plugins: [PluginConfiguration] = []
  /// The plugins whose file is there and cannot be used; those of them that run keep running.
  public private(set) var unusablePlugins: [String] = []
  /// The plugins whose file is empty or does not end with a newline: at a reload, somebody may be
  /// writing it.
  public private(set) var unfinishedPlugins: [String] = []
  /// The daemon's file is such a one.
  public private(set) var isDaemonFileUnfinished = false
  /// What auditd's keywords say wrongly of peers.
  private var remoteDiagnostics: [Diagnostic] = []
  /// False when the folder of plugins could not be listed or trusted, or when it is not certain
  /// which one it is, as the daemon's file cannot be used. At reload those that run keep running.
  public private(set) var isPluginDirectoryRead = false
  /// Everything that was found, the daemon's file first, then by the plugins' files.
  public private(set) var diagnostics: [Diagnostic] = []

  /// Reads and checks everything that the request leads to. Blocks for as long as reading some
  /// small files does; never for a FIFO or a device.
  public init(_ request: ConfigurationRequest, _ environment: LoadEnvironment) {
    self.init(ofDaemon: request, environment)
    if !daemon.remoteSources.isEmpty {
      let file = daemonFile ?? "audispatchd.conf"
      noteRemote(remoteDiagnostics + daemon.remoteProblems(file: file))
      // Peers that have another key, and the sources of this host, go on without these.
      if daemon.remoteSources.contains(where: { if case .tls = $0 { true } else { false } }) {
        diagnostics += daemon.remote.fileProblems(
          file: file, environment.files, user: environment.user)
      }
    }
    var environment = environment
    environment.runtimeDirectory = daemon.runtimeDirectory
    let directory = PluginDirectory(
      daemon.pluginDirectory, isNamed: request.pluginDirectory != nil,
      defaults: daemon.pluginDefaults, environment: environment)
    plugins = directory.plugins
    unusablePlugins = directory.unusable
    unfinishedPlugins = directory.unfinished
    isPluginDirectoryRead = directory.wasRead && isDaemonUsable
    diagnostics += directory.diagnostics
    if let bound = daemon.capabilityBound { refusePlugins(beyond: bound) }
    refuseOwnSources(environment)
    noteMissingCommands(environment.files)
  }

  /// Reads what concerns the daemon alone, and no plugin.
  public init(ofDaemon request: ConfigurationRequest, _ environment: LoadEnvironment) {
    loadDaemon(request.daemonFile, environment)
    if !request.sources.isEmpty { daemon.sources = request.sources }
    if let framing = request.inputFraming { daemon.inputFraming = framing }
    if let directory = request.pluginDirectory { daemon.pluginDirectory = directory }
    if let directory = request.runtimeDirectory { daemon.runtimeDirectory = directory }
  }

  /// Adds what was found elsewhere to what `--check` reports.
  public mutating func note(_ found: [Diagnostic]) { diagnostics += found }

  /// What is wrong with how records of other hosts are to be taken keeps the daemon from starting.
  private mutating func noteRemote(_ problems: [Diagnostic]) {
    diagnostics += problems
    if problems.contains(where: { $0.severity == .error }) { isDaemonUsable = false }
  }

  /// A plugin that is promised more than anybody may have could not be started.
  private mutating func refusePlugins(beyond bound: Capabilities) {
    plugins.removeAll { plugin in
      guard plugin.isActive, let objection = plugin.confinement.objection(within: bound) else {
        return false
      }
      diagnostics.append(
        Diagnostic(
          .error, file: plugin.file, objection,
          suggestion: "add it to capability_bound in audispatchd.conf"))
      unusablePlugins.append(plugin.name)
      return true
    }
  }

  /// A plugin whose socket the daemon reads would be given what it was given before.
  private mutating func refuseOwnSources(_ environment: LoadEnvironment) {
    let files = environment.files
    for case .unixSocket(let path) in daemon.sources {
      plugins.removeAll { plugin in
        environment.begins(plugin.name)
        defer { environment.begins(nil) }
        guard plugin.isActive, let socket = ServedSocket(plugin, files),
          socket.isSame(as: path, files)
        else { return false }
        diagnostics.append(
          Diagnostic(
            .error, file: plugin.file,
            "its socket \(path) is the daemon's own source: it would read what it writes",
            suggestion: "give the plugin another path, or set active = no"))
        unusablePlugins.append(plugin.name)
        return true
      }
    }
  }

  /// Takes what plugins said of their own settings: one that reported an error cannot be used.
  public mutating func take(_ findings: [String: [Diagnostic]]) {
    for (name, found) in findings.sorted(by: { $0.key < $1.key }) {
      diagnostics += found
      guard found.contains(where: { $0.severity == .error }) else { continue }
      plugins.removeAll { $0.name == name }
      unusablePlugins.append(name)
    }
  }

  /// Notes that no plugin is active: nobody would get anything. For a replay that is an error, and
  /// it must not be started.
  public mutating func noteIdleness() {
    guard !plugins.contains(where: \.isActive), unusablePlugins.isEmpty else { return }
    let isReplay = daemon.sources.contains { if case .file = $0 { true } else { false } }
    diagnostics.append(
      Diagnostic(
        isReplay ? .error : .warning, file: daemon.pluginDirectory,
        isReplay ? "no plugin is active: nobody would get the records" : "no plugin is active",
        suggestion: "set active = yes in a file there"))
    if isReplay { isDaemonUsable = false }
  }

  private mutating func loadDaemon(
    _ file: ConfigurationRequest.DaemonFile, _ environment: LoadEnvironment
  ) {
    let path: String
    switch file {
    case .standard: path = ConfigurationRequest.standardDaemonFile
    case .named(let name): path = name
    case .folder(let folder):
      let old = folder + "/audispd.conf"
      if case .success = environment.files.status(old) {
        path = old
      } else {
        path = folder + "/audispatchd.conf"
      }
    }
    do throws(Diagnostic) {
      let bytes = try Self.contents(of: path, mayBeMissing: file == .standard, environment)
      let parsed = DaemonFile(bytes, file: path)
      daemon = parsed.configuration
      daemonFile = path
      isDaemonFileUnfinished = bytes.last != UInt8(ascii: "\n")
      diagnostics += parsed.diagnostics
      remoteDiagnostics = parsed.remoteDiagnostics
      if let group = parsed.controlGroup {
        do throws(Diagnostic) {
          daemon.controlGroup = try Accounts(environment.files).group(group)
        } catch { diagnostics.append(error) }
      }
      if !parsed.namesPluginDirectory,
        ["audispd.conf", "auditd.conf"].contains(Files.lastPart(of: path))
      {
        diagnostics.append(
          Diagnostic(
            .note, file: path, "plugin_dir is not set: \(daemon.pluginDirectory) is read"))
      }
    } catch { diagnostics.append(error) }
    isDaemonUsable = !diagnostics.contains { $0.severity == .error }
  }

  private static func contents(
    of path: String, mayBeMissing: Bool, _ environment: LoadEnvironment
  ) throws(Diagnostic) -> [UInt8] {
    let trust = FileTrust(user: environment.user)
    if let bytes = try trust.contents(of: path, mayBeMissing: mayBeMissing, environment.files) {
      return bytes
    }
    throw Diagnostic(.note, file: path, "not there: every setting has its default")
  }

  /// What `--check` exits with: 0, or 6 when the daemon's file or a plugin's has an error.
  public var exitStatus: Int32 { diagnostics.contains { $0.severity == .error } ? 6 : 0 }

  /// What `--check` prints: every problem on a line of its own, then every plugin, then the sum.
  public var report: String {
    var lines = diagnostics.map(\.description)
    let known = plugins.map { ($0.name, $0.isActive ? "active" : "inactive", $0.path) }
    let unusable = unusablePlugins.map { ($0, "unusable", "") }
    for (name, state, path) in (known + unusable).sorted(by: { $0.0 < $1.0 }) {
      let what = path.isEmpty ? state : "\(state), \(path)"
      lines.append("plugin \(printable("\(name): \(what)", limit: 4096))")
    }
    let errors = diagnostics.count { $0.severity == .error }
    let warnings = diagnostics.count { $0.severity == .warning }
    lines.append(
      counted(errors, "error") + ", " + counted(warnings, "warning"))
    return lines.joined(separator: "\n") + "\n"
  }
}

public import Linux

/// What `audispatchd.conf` and the command line ask for, checked and complete.
public struct DaemonConfiguration: Equatable, Codable, Sendable {
  /// In the order given; none: chosen at start.
  public var sources: [SourceConfiguration] = []
  public var inputFraming = InputFraming.automatic
  public var pluginDirectory = "/etc/audispatch/plugins.d"
  /// Where durable queues lie.
  public var spoolDirectory = "/var/lib/audispatch/spool"
  /// Bytes that the spool leaves free on its file system.
  public var spoolReserve = 256 << 20
  /// How long what the spool has for a plugin that is gone is kept; zero: for ever.
  public var spoolKeep = Duration.seconds(7 * 86400)
  public var runtimeDirectory = "/run/audispatch"
  /// What the daemon and its plugins may have at most; `nil`: what the daemon was started with.
  public var capabilityBound: Capabilities?
  /// The group whose members may use the control socket, beside root.
  public var controlGroup: UInt32?
  /// Bytes of records that may be held for all plugins together.
  public var journalBytes = 256 << 20
  /// How long records may gather before they are written, where many come; zero: not at all.
  public var latencyMax = Duration.milliseconds(1)
  /// How long what auditd had started outlives the end of its input, for the next one to go on with it;
  /// zero: not at all. `nil`: ten seconds behind auditd, and not at all elsewhere.
  public var reloadWait: Duration?
  /// How much the daemon's nice value is lowered; the plugins run at 0.
  public var priorityBoost = 4
  public var nameFormat = NameFormat.none
  /// The node's name with `name_format = user`.
  public var nodeName: String?
  /// How the kernel source formats its records.
  public var logFormat = LogFormat.enriched
  /// What `overflow_action = single` and `halt` execute: path and arguments.
  public var singleCommand = ["/sbin/init", "1"]
  public var haltCommand = ["/sbin/init", "0"]
  /// What peers may, whose records come over the network.
  public var remote = RemoteConfiguration()
  /// What plugins have where their own files say nothing.
  public var pluginDefaults = PluginConfiguration(name: "", file: "")

  public init() {}
}

/// Where records come from.
public enum SourceConfiguration: Equatable, Codable, Sendable {
  case standardInput
  /// The path of a socket of auditd's.
  case unixSocket(String)
  case kernel
  /// A log, a netlink capture or a binary capture, also gzipped.
  case file(String)
  /// Peers that connect to this address, in the clear.
  case tcp(HostAndPort)
  /// The same, over TLS.
  case tls(HostAndPort)

  /// Where peers connect to; `nil` for a source on this host.
  public var place: HostAndPort? {
    switch self {
    case .tcp(let place), .tls(let place): place
    case .standardInput, .unixSocket, .kernel, .file: nil
    }
  }
}

extension DaemonConfiguration {
  /// The sources on this host.
  public var localSources: [SourceConfiguration] { sources.filter { $0.place == nil } }
  /// Those that other hosts connect to.
  public var remoteSources: [SourceConfiguration] { sources.filter { $0.place != nil } }
}

/// The framing of binary records on the input.
public enum InputFraming: String, CaseIterable, Codable, Sendable {
  case automatic = "auto"
  case compact
  case fixed
}

/// What a record that names no node is given as its node.
public typealias NameFormat = NodeName.Format

/// Whether names are added to the kernel's records.
public enum LogFormat: String, CaseIterable, Codable, Sendable {
  case raw
  case enriched
}

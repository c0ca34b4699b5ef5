public import Linux

/// What one file of `plugins.d` asks for, checked and complete: plugin file over
/// `audispatchd.conf` over the default.
public struct PluginConfiguration: Equatable, Codable, Sendable {
  /// The file's name without `.conf`; what status, messages and `resume` call the plugin.
  public var name: String
  /// The file it was read from.
  public var file: String
  public var isActive = false
  /// The executable, absolute.
  public var path = ""
  /// `argv[1]` and on.
  public var arguments: [String] = []
  public var format = RecordFormat.string
  public var binaryFraming = BinaryFraming.same
  /// What becomes of its standard output.
  public var output = PluginOutput.log
  /// Whose records it is given.
  public var hosts = PluginHosts.all
  /// Records that may be queued: 1 to 10,000,000.
  public var queueDepth = 2000
  /// Bytes that may be queued.
  public var queueBytes = 16 << 20
  /// Bytes of a durable queue that may lie on disk.
  public var spoolBytes = 1 << 30
  public var overflowAction = OverflowAction.syslog
  /// Whether a record is delivered when the plugin says so, not when it has read it.
  public var confirms = false
  /// Whether a gap is announced in the plugin's stream.
  public var gapRecord = true
  /// Deaths in a row without progress before the plugin is held; 0: never restarted.
  public var maxRestarts = 10
  /// The first pause before a restart; it doubles from there.
  public var restartDelay = Duration.milliseconds(100)
  /// The longest pause before a restart.
  public var restartDelayMax = Duration.seconds(30)
  /// How long a held plugin waits for its next try.
  public var heldDelay = Duration.seconds(60)
  /// How long a stopping plugin may take to read what is queued for it.
  public var stopTimeout = Duration.seconds(5)
  /// Input waits and nothing is read for this long: it is reported. Zero: never.
  public var stallTimeout = Duration.seconds(30)
  /// Whether a stalled plugin is stopped and started again, not only reported.
  public var restartsWhenStalled = false
  /// What it is kept from; of an active plugin only.
  public var confinement = Confinement()
  /// Which file the executable is; a replaced one restarts the plugin at reload.
  public var executable: ExecutableIdentity?

  public init(name: String, file: String) {
    self.name = name
    self.file = file
  }
}

/// What becomes of a plugin's standard output.
public enum PluginOutput: String, CaseIterable, Codable, Sendable {
  /// Its lines are messages of the daemon, at a bounded rate.
  case log
  /// It is passed on whole; while nobody takes it, the plugin waits.
  case pass
}

/// Whose records a plugin is given, where other hosts send theirs.
public enum PluginHosts: String, CaseIterable, Codable, Sendable {
  case all
  /// This host's alone: no other host can have it do anything.
  case own
}

/// How records are written to a plugin.
public enum RecordFormat: String, CaseIterable, Codable, Sendable {
  case string
  case binary
}

/// How long a binary record is on a plugin's standard input.
public enum BinaryFraming: String, CaseIterable, Codable, Sendable {
  /// As the auditd that feeds us does it; with other input, as the installed libaudit's version does.
  case same
  /// 16 + size, as auditd from 4.1.1 on.
  case compact
  /// 8,986 bytes, as auditd up to 4.1.0; the padding is zero.
  case fixed
}

/// What happens to one plugin's records at the first that its queue cannot take.
public enum OverflowAction: String, CaseIterable, Codable, Sendable {
  /// The newest whole events are dropped and counted.
  case ignore
  /// As `ignore`, and reported at a steady low rate as long as it lasts.
  case syslog
  /// The oldest whole events are dropped and counted.
  case dropOldest = "drop_oldest"
  /// Everything is dropped until resumed.
  case suspend
  /// Single-user mode, as auditd.
  case single
  /// The host is shut down, as auditd.
  case halt
  /// Memory first, then disk; survives a long outage of the plugin.
  case spill
  /// Disk first: a record is given to the plugin when it is safe.
  case lossless

  /// Whether the queue goes on on disk.
  public var isDurable: Bool { self == .spill || self == .lossless }
}

/// Device, inode and time of change of an executable.
public struct ExecutableIdentity: Equatable, Codable, Sendable {
  public var device: UInt64
  public var inode: UInt64
  public var modified: Int64

  public init(device: UInt64, inode: UInt64, modified: Int64) {
    self.device = device
    self.inode = inode
    self.modified = modified
  }
}

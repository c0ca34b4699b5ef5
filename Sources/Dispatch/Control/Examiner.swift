public import Configuration
import Glibc
import Linux

/// The process that reads the configuration of a daemon that runs, and asks its plugins about theirs.
///
/// It is this program with the daemon's arguments, and writes what it finds into a file in memory. What
/// it is about to touch it says before, on its standard output: should it hang, that is known.
public enum Examiner {
  /// The variable by which a process knows that it is one, and has the file at descriptor 3.
  private static let variable = "AUDISPATCH_EXAMINER"
  /// The variable with the plugins that do not answer, with what is in no file's name between them.
  private static let silence = "AUDISPATCH_SILENT"
  private static let descriptor: Int32 = 3
  /// How long plugins are asked about their settings, of the time that an examination may take.
  private static let asking = Duration.seconds(20)
  /// Bytes of thousands of plugins.
  private static let limit = 64 << 20

  /// Whether this process is one.
  public static var isAskedFor: Bool {
    Environment.value(variable) == "1" && (try? Files.status(of: descriptor)) != nil
  }

  /// Examines, and hands over what was found.
  ///
  /// - Parameter load: leaves those plugins alone, and tells of each other one before it touches it.
  /// - Returns: the exit status.
  public static func run(
    _ load: (_ silent: Set<String>, _ begins: @escaping @Sendable (String?) -> Void)
      -> LoadedConfiguration
  ) -> Int32 {
    endWithParent()
    _ = Environment.take(variable)
    let silent = Environment.take(silence) ?? ""
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    var loaded = load(Set(silent.split(separator: "/").map(String.init))) { plugin in
      say(plugin.map { .files(of: $0) } ?? .others)
    }
    let candidates = PluginCheck.candidates(of: loaded.plugins) { say(.files(of: $0)) }
    loaded.take(PluginCheck.findings(candidates, within: asking) { say(.check(of: $0)) })
    say(.others)
    do {
      try Transfer.writeAll(descriptor, try TreeEncoder.tree(of: loaded).bytes)
      return 0
    } catch { return 1 }
  }

  private static func say(_ step: ExaminationStep) {
    // Without it only a plugin that hangs cannot be told.
    try? Transfer.writeAll(1, Array(step.line.utf8))
  }

  /// Starts one that writes into a file of `Descriptor.anonymousFile`; blocks until it is executed.
  ///
  /// - Parameters:
  ///   - silent: plugins that it is to leave alone.
  ///   - steps: where it says what it is about to touch.
  static func start(
    _ arguments: [String], without silent: Set<String>, into file: borrowing Descriptor,
    steps: borrowing Descriptor
  ) throws -> ChildProcess {
    let null = try Descriptor.open("/dev/null", O_RDWR)
    // It goes on being there when the program's file is replaced. Where there is no /proc, the file.
    let path =
      unsafe access("/proc/self/exe", X_OK) == 0 ? "/proc/self/exe" : Installed.executable
    return try ChildProcess(
      path: path, name: "audispatchd", arguments: arguments,
      environment: ProgramArguments.environment
        + ["\(variable)=1", "\(silence)=\(silent.sorted().joined(separator: "/"))"],
      input: null.number, output: steps.number, error: null.number, extra: file.number)
  }

  /// What one has written that ended with 0.
  static func answer(in file: consuming Descriptor) throws -> LoadedConfiguration {
    // The place in it is shared with whoever wrote it.
    lseek(file.number, 0, SEEK_SET)
    let bytes = try Transfer.contents(of: file, named: "the configuration", limit: limit)
    return try TreeDecoder.value(LoadedConfiguration.self, of: Tree(bytes))
  }
}

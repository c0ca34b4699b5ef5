import Configuration
import Linux
import Synchronization

/// Reads the configuration, and asks the plugins about theirs, on a thread of its own: there may be
/// thousands of files, on a disk that is slow.
final class ConfigurationReading: ThreadWork {
  /// Rings when it is done.
  let bell: Bell
  private let loader: @Sendable () -> LoadedConfiguration
  private let result = Mutex<LoadedConfiguration?>(nil)

  init(_ loader: @escaping @Sendable () -> LoadedConfiguration) throws(SystemError) {
    self.loader = loader
    bell = try Bell()
  }

  func run() {
    var loaded = loader()
    loaded.take(PluginCheck.findings(PluginCheck.candidates(loaded)))
    result.withLock { $0 = loaded }
    bell.ring()
  }

  /// What was read, once it was.
  var loaded: LoadedConfiguration? { result.withLock { $0 } }
}

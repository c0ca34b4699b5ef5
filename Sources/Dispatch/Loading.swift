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

/// For whom, and for what, the configuration is being read.
struct Loading {
  /// What a request is answered with.
  enum Purpose { case reload, check }

  let reading: ConfigurationReading
  /// The requests that it answers; without a client a signal asked.
  var requests: [(purpose: Purpose, client: UInt32?)]
  /// What was asked for since: files may have changed that were read by then.
  var later: [(purpose: Purpose, client: UInt32?)] = []
}

extension Dispatcher {
  /// Reads the configuration again, and puts it into force or reports on it.
  func load(_ purpose: Loading.Purpose, for client: UInt32?) {
    guard loading == nil else {
      loading?.later.append((purpose, client))
      return
    }
    startLoading([(purpose, client)])
  }

  private func startLoading(_ requests: [(purpose: Loading.Purpose, client: UInt32?)]) {
    if requests.contains(where: { $0.purpose == .reload }) { service?.beginsReload(now) }
    do throws(SystemError) {
      let reading = try ConfigurationReading(loader)
      try poller.watch(reading.bell.number, Token.loading, .read)
      do throws(SystemError) { try WorkThread(reading).detach() } catch {
        poller.remove(reading.bell.number)
        throw error
      }
      loading = Loading(reading: reading, requests: requests)
    } catch {
      // There is no room for a thread: then everybody waits.
      conclude(requests, loader())
    }
  }

  /// The configuration was read.
  func finishLoading() {
    guard let loading, let loaded = loading.reading.loaded else { return }
    poller.remove(loading.reading.bell.number)
    self.loading = nil
    conclude(loading.requests, loaded)
    if !loading.later.isEmpty { startLoading(loading.later) }
  }

  private func conclude(
    _ requests: [(purpose: Loading.Purpose, client: UInt32?)], _ loaded: LoadedConfiguration
  ) {
    let isReload = requests.contains { $0.purpose == .reload }
    let outcome = isReload ? apply(loaded) : nil
    // A stop may have begun meanwhile: the service manager is not told that all is ready then.
    if isReload, ending.isRunning { service?.endsReload() }
    var loaded = loaded
    loaded.noteIdleness()
    for request in requests {
      switch request.purpose {
      case .reload: answer(request.client, with: outcome?.answer ?? "")
      case .check:
        answer(request.client, with: loaded.report + "status \(loaded.exitStatus)\n")
      }
    }
  }
}

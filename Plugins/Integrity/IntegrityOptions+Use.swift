import AudispatchPlugin
import Configuration
import Glibc

/// What the commands and the plugin make of the options.
extension IntegrityOptions {
  var scanSettings: Scan.Settings {
    var settings = Scan.Settings()
    settings.workers = workers
    settings.byteRate = byteRate
    settings.fileRate = fileRate
    settings.largestFile = UInt64(largestFile)
    return settings
  }

  /// The key that signs, where one is configured.
  func key() throws -> SigningKey? { try signingKey.map { try SigningKey(file: $0) } }

  /// What has to be there before the plugin can watch anything.
  var pluginObjections: [Diagnostic] {
    guard !policy.roots.isEmpty else {
      let cure = "write 'watch = /etc'"
      return [Diagnostic(.error, file: "watch", "nothing is watched", suggestion: cure)]
    }
    guard unsafe access(database, F_OK) != 0, errno == ENOENT else { return [] }
    let lack = "there is no baseline yet, \(database) is not there"
    let cure = "run audispatch-integrity init"
    return [Diagnostic(.error, file: "database", lack, suggestion: cure)]
  }
}

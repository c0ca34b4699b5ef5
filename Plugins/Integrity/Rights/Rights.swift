import AudispatchPlugin
import Linux

/// What the plugin's two processes may do.
///
/// The one that reads files, records and everything else that others can write has no right to
/// change anything; a small one beside it, which reads nothing but requests from it, has the rights
/// that the kernel wants for watching whole file systems and for audit rules.
enum Rights {
  /// Of the helper: fanotify, audit rules and the canary's login uid, and to reach what it marks.
  static let helper: Capabilities = [.administer, .auditControl, .readSearch]
  /// Of the analyser: reading files, looking into /proc, writing audit records.
  static let analyser: Capabilities = [.readSearch, .trace, .auditWrite]

  /// Gives up, for good, what the analyser does not need. The threads that are there keep theirs.
  static func giveUp() throws(SystemError) { try Capabilities.giveUp(allBut: analyser) }

  /// Keeps the calling thread, and those that it starts, from writing elsewhere than into the folders
  /// of the baseline and of the events; says where that cannot be.
  ///
  /// - Returns: the folders; `nil`: it may write everywhere.
  static func confine(_ options: IntegrityOptions, _ log: inout PluginLog) throws(SystemError)
    -> [FilePath]?
  {
    guard Landlock.version > 0 else {
      log.write(.warning, "this kernel has no landlock: what it may write is not restricted")
      return nil
    }
    var there: [FilePath] = []
    for folder in options.writtenFolders {
      if (try? Files.status(of: folder.text)) == nil {
        log.write(.warning, "\(folder.shown) is not there: when it is, start this anew")
      } else {
        there.append(folder)
      }
    }
    try Landlock.restrictWriting(to: there.map(\.text))
    return there
  }
}

extension IntegrityOptions {
  /// The folders that the plugin writes into.
  var writtenFolders: [FilePath] {
    [database, events].compactMap(\.self).map { FilePath($0).folder }
  }
}

extension FilePath {
  /// As the options have it: text.
  var text: String { String(decoding: bytes, as: UTF8.self) }
}

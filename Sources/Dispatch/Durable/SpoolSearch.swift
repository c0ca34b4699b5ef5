import Linux
import Synchronization

/// Finds out whether a folder has a spool in it. What it lies on may hang, and then so does this thread.
final class SpoolSearch: ThreadWork {
  private let folder: String
  private let found = Mutex<Bool?>(nil)

  init(_ folder: String) { self.folder = folder }

  /// `nil`: it is not known yet.
  var result: Bool? { found.withLock { $0 } }

  func run() {
    let names = (try? Files.names(in: folder)) ?? []
    found.withLock { $0 = names.contains { $0.hasSuffix(".spool") } }
  }
}

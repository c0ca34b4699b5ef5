import Journal
import Linux
import RemoteProtocol
import Synchronization

/// Opens the file that the ledger of senders lies in, on a thread of its own: its disk may be slow, or
/// hang.
final class LedgerOpening: ThreadWork {
  enum Outcome: Equatable, Sendable {
    case opened(Int32)
    /// Another process still has it.
    case taken
    case failed(String)
  }

  private let folder: String
  private let outcome = Mutex<Outcome?>(nil)

  init(folder: String) { self.folder = folder }

  /// What came of it; `nil` until then. A descriptor is the caller's.
  func take() -> Outcome? {
    outcome.withLock { outcome in
      defer { outcome = nil }
      return outcome
    }
  }

  func run() {
    let made: Outcome
    do throws(SystemError) {
      _ = try PrivateFolder.open(folder)
      let file = try MappedFile.open(
        folder + "/senders", count: SenderMemory.byteCount)
      if let file { made = .opened(file.release()) } else { made = .taken }
    } catch { made = .failed(error.description) }
    outcome.withLock { $0 = made }
  }
}

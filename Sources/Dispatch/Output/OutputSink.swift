import Glibc
import Linux
import Synchronization

/// Where what plugins print goes on to, with `output = pass`: a thread that may wait for a terminal
/// that was stopped, a pager, a slow disk or the journal, so that the event loop does not.
///
/// It has one piece of each plugin at a time, of whole lines, so that those of two plugins never
/// mix.
final class OutputSink: ThreadWork {
  /// Whole lines of one plugin.
  struct Piece: Sendable {
    /// Of the output it came from.
    let id: PassedOutput.ID
    let plugin: String
    let bytes: [UInt8]
  }

  /// What there is to know since it was asked last.
  struct News: Sendable {
    /// The outputs whose pieces were taken.
    var taken: [PassedOutput.ID] = []
    /// Why a write failed. The piece is tried again.
    var troubles: [String] = []
    /// It takes again.
    var isBack = false
    /// Nobody reads it any more, and nobody will.
    var isBroken = false
  }

  enum Place: Sendable, CustomStringConvertible {
    case standardOutput
    case journal
    case systemLog

    /// The daemon's standard output, unless that leads nowhere, as under auditd.
    static var ofThisProcess: Place {
      if !DescriptorKind.isNowhere(1) { return .standardOutput }
      let journal = try? Files.status(of: journalSocket)
      return journal?.kind == .socket ? .journal : .systemLog
    }

    static let journalSocket = "/run/systemd/journal/stdout"

    var description: String {
      switch self {
      case .standardOutput: "standard output"
      case .journal: "the journal"
      case .systemLog: "the system's log"
      }
    }
  }

  private struct Shared {
    var pieces: [Piece] = []
    var news = News()
  }

  let place: Place
  /// Readable when there are news.
  let newsReady: Bell
  private let piecesReady: Bell
  private let shared = Mutex(Shared())
  /// Of the thread alone.
  private let lines: Mutex<LogLines>

  init(_ place: Place) throws(SystemError) {
    self.place = place
    newsReady = try Bell()
    piecesReady = try Bell()
    lines = Mutex(LogLines(place))
  }

  func submit(_ piece: Piece) {
    shared.withLock { $0.pieces.append(piece) }
    piecesReady.ring()
  }

  func takeNews() -> News {
    newsReady.clear()
    return shared.withLock { shared in
      defer { shared.news = News() }
      return shared.news
    }
  }

  private func tell(_ change: (inout News) -> Void) {
    shared.withLock { change(&$0.news) }
    newsReady.ring()
  }

  // MARK: The thread's side

  func run() {
    while true {
      _ = Poll.readable([piecesReady.number], within: nil)
      piecesReady.clear()
      let pieces = shared.withLock { shared in
        defer { shared.pieces = [] }
        return shared.pieces
      }
      for piece in pieces {
        guard write(piece) else { return tell { $0.isBroken = true } }
        tell { $0.taken.append(piece.id) }
      }
    }
  }

  /// Writes it, however long that takes; `false` when nobody will ever read it.
  private func write(_ piece: Piece) -> Bool {
    var done = 0
    var isInTrouble = false
    while done < piece.bytes.count {
      switch place == .standardOutput
        ? writeOut(piece.bytes[done...]) : lines.withLock({ $0.send(piece, from: done) })
      {
      case .bytes(let count):
        done += count
        if isInTrouble { tell { $0.isBack = true } }
        isInTrouble = false
      case .wouldBlock: continue
      case .failed(let errno):
        if place == .standardOutput, errno == .brokenPipe { return false }
        if !isInTrouble { tell { $0.troubles.append("\(errno)") } }
        isInTrouble = true
        Pause.nanoseconds(1_000_000_000)
      }
    }
    return true
  }

  private func writeOut(_ bytes: ArraySlice<UInt8>) -> WriteResult {
    let result = unsafe bytes.withUnsafeBytes { unsafe Transfer.write(1, $0) }
    // Somebody who has it too made it so that it does not wait.
    if case .wouldBlock = result { _ = Poll.wait(1, for: .write, milliseconds: 1000) }
    return result
  }
}

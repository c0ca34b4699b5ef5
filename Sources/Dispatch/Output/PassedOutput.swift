import Journal
import Linux

/// What one child writes on its standard output, with `output = pass`: whole lines, of which one
/// piece at a time is on its way. While it is, nothing is read, and the child waits.
final class PassedOutput {
  typealias ID = Ordinal<PassedOutput>

  /// Beyond it a line is passed on in pieces, each with an end of its own.
  static let longestLine = 16 << 20

  let id: ID
  let plugin: String
  private let pipe: Descriptor
  /// A line that is not complete.
  private var begun: [UInt8] = []
  /// Bytes of the piece that is on its way.
  private(set) var underWay = 0
  /// The child is gone: what is in the pipe is the last.
  private(set) var hasNoWriter = false
  private(set) var hasEnded = false

  init(id: ID, plugin: String, owning pipe: consuming Descriptor) {
    pipe.setNonblocking(true)
    self.id = id
    self.plugin = plugin
    self.pipe = pipe
  }

  var number: Int32 { pipe.number }
  var isUnderWay: Bool { underWay > 0 }
  /// Bytes that were read and not taken.
  var held: Int { underWay + begun.count }

  /// Reads until there are whole lines, 256 KiB at the most; `nil`: not yet, or `hasEnded`.
  func next() -> OutputSink.Piece? {
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    for _ in 0..<4 where !hasEnded {
      let result = unsafe chunk.withUnsafeMutableBytes {
        unsafe Transfer.read(pipe.number, into: $0)
      }
      switch result {
      case .bytes(let count):
        let news = chunk[..<count]
        if let newline = news.lastIndex(of: 0x0a) {
          let piece = begun + news[...newline]
          begun = Array(news[(newline + 1)...])
          return send(piece)
        }
        begun += news
        if begun.count >= Self.longestLine { return takeBegun() }
      case .wouldBlock:
        guard hasNoWriter else { return nil }
        hasEnded = true
      case .end, .failed: hasEnded = true
      }
    }
    return hasEnded && !begun.isEmpty ? takeBegun() : nil
  }

  private func takeBegun() -> OutputSink.Piece {
    defer { begun = [] }
    return send(begun + [0x0a])
  }

  private func send(_ bytes: [UInt8]) -> OutputSink.Piece {
    underWay = bytes.count
    return OutputSink.Piece(id: id, plugin: plugin, bytes: bytes)
  }

  func wasTaken() { underWay = 0 }
  func losesWriter() { hasNoWriter = true }
}

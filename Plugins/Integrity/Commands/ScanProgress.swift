import Glibc
import Linux

/// How far a scan is, in one line on a terminal; nothing elsewhere.
struct ScanProgress {
  private let isShown = isatty(2) == 1
  private let began = Moment.now
  private var shown = Moment.now
  private var width = 0
  private(set) var files = 0
  private(set) var bytes: UInt64 = 0

  mutating func note(_ part: ScannedPart) {
    files += part.entries.count
    for entry in part.entries { bytes += entry.state.hashed ?? 0 }
    guard isShown, Moment.now - shown >= .milliseconds(250) else { return }
    shown = .now
    show("\(files) files, \(bytes >> 20) MiB, \(part.path.shown.prefix(60))")
  }

  /// Takes the line away.
  mutating func end() { if isShown, width > 0 { show("") } }

  /// `130,000 files, 5,100 MiB in 14.2 s`.
  var text: String {
    let tenths = Int(((Moment.now - began).inSeconds * 10).rounded())
    return "\(TextReport.counted(files, "file", "files")), \(bytes >> 20) MiB in "
      + "\(tenths / 10).\(tenths % 10) s"
  }

  private mutating func show(_ text: String) {
    let blank = String(repeating: " ", count: max(0, width - text.count))
    // What a terminal does not take is not worth a word.
    try? Transfer.writeAll(2, Array("\r\(text)\(blank)\(text.isEmpty ? "\r" : "")".utf8))
    width = text.count
  }
}

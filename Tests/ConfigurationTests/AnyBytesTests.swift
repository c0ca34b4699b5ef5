import TestSupport
import Testing

@testable import Configuration

@Suite("Any bytes as a configuration file")
struct AnyBytesTests {
  /// Pieces that lead deep into the grammar, and bytes that lead out of it.
  static let pieces: [[UInt8]] =
    [
      "active = yes", "path = /sbin/p", "args = ", "=", " ", "\t", "\n", "\r\n", "#", "'", "\"",
      "q_depth = 1", "q_bytes = 9T", "stall_timeout = 0.000000001", "source = file:/a",
      "overflow_action = ", "halt", "99999999999999999999", "name_format = user", "é", "\u{FEFF}",
    ].map { Array($0.utf8) } + [[0], [0xFF], [0xC3], [0xE2, 0x82], [0x1B], [0x7F]]

  static func bytes(_ seed: UInt64) -> [UInt8] {
    var random = Seeded(seed)
    var bytes: [UInt8] = []
    for _ in 0..<Int.random(in: 0...40, using: &random) {
      if Bool.random(using: &random) {
        bytes += pieces[Int.random(in: pieces.indices, using: &random)]
      } else {
        bytes.append(UInt8.random(in: 0...255, using: &random))
      }
    }
    return bytes
  }

  @Test func `are taken apart with every position inside the file`() {
    for seed in 0..<UInt64(4000) {
      let bytes = Self.bytes(seed)
      let lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
      let text = ConfigurationText(bytes, file: "f")
      let words = text.settings.flatMap { [$0.keyword] + $0.values }
      for position in words.map(\.position) + text.diagnostics.compactMap(\.position) {
        let isInside =
          (1...lines.count).contains(position.line)
          && (1...(lines[position.line - 1].count + 1)).contains(position.column)
        #expect(isInside, "seed \(seed), \(position)")
      }
    }
  }

  @Test func `give every line a setting, a diagnostic or nothing to say`() {
    for seed in 0..<UInt64(4000) {
      let bytes = Self.bytes(seed)
      let text = ConfigurationText(bytes, file: "f")
      let spoken =
        text.settings.map(\.keyword.position.line)
        + text.diagnostics.compactMap(\.position?.line)
      let written = bytes.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated()
        .filter { number, line in
          var line = line[...]
          if number == 0, line.starts(with: [0xEF, 0xBB, 0xBF]) { line = line.dropFirst(3) }
          if line.last == 0x0D { line = line.dropLast() }
          let first = line.first { $0 != 0x20 && $0 != 0x09 }
          return first != nil && first != UInt8(ascii: "#")
        }.map { $0.offset + 1 }
      #expect(spoken.sorted() == written, "seed \(seed)")
    }
  }

  @Test func `are checked as both kinds of file without a crash, in printable lines`() {
    for seed in 0..<UInt64(2000) {
      let bytes = Self.bytes(seed)
      let daemon = DaemonFile(bytes, file: "audispatchd.conf")
      let plugin = PluginFile(
        bytes, file: "plugins.d/any.conf", name: "any",
        defaults: daemon.configuration.pluginDefaults)
      for diagnostic in daemon.diagnostics + plugin.diagnostics {
        let line = diagnostic.description
        #expect(!line.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7F })
      }
    }
  }
}

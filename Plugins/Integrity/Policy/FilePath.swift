import AudispatchPlugin
import Linux

/// An absolute path: any bytes but NUL, in one form (no empty component, no slash at the end but
/// for the root itself).
struct FilePath: Hashable, Comparable, Sendable {
  typealias Component = ArraySlice<UInt8>

  let bytes: [UInt8]

  static let root = FilePath([])

  /// Takes out what does not change where it leads: `//`, `/./`, a slash at the end.
  init(_ bytes: some Sequence<UInt8>) {
    let parts = Array(bytes).split(separator: 0x2f).filter { !$0.elementsEqual([0x2e]) }
    self.bytes = parts.isEmpty ? [0x2f] : parts.reduce(into: []) { $0 += [0x2f] + $1 }
  }

  init(_ text: String) { self.init(text.utf8) }

  private init(whole bytes: [UInt8]) { self.bytes = bytes }

  var components: [Component] { bytes.split(separator: 0x2f) }

  var isRoot: Bool { bytes.count == 1 }

  /// The last component; empty for the root.
  var name: FileName { FileName(components.last ?? []) }

  /// The folder that it is in; the root's is the root.
  var folder: FilePath {
    let slash = bytes.lastIndex(of: 0x2f) ?? 0
    return slash == 0 ? .root : FilePath(whole: Array(bytes[..<slash]))
  }

  func appending(_ name: FileName) -> FilePath {
    FilePath(whole: isRoot ? bytes + name.bytes : bytes + [0x2f] + name.bytes)
  }

  /// Whether it is `folder` or below it.
  func isWithin(_ folder: FilePath) -> Bool {
    if folder.isRoot { return true }
    return bytes.starts(with: folder.bytes)
      && (bytes.count == folder.bytes.count || bytes[folder.bytes.count] == 0x2f)
  }

  static func < (a: FilePath, b: FilePath) -> Bool { a.bytes.lexicographicallyPrecedes(b.bytes) }

  /// For a person: in quotes, with escapes, where it is not plain.
  var shown: String { SafeText.word(bytes) }
}

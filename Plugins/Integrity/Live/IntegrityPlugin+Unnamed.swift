import AudispatchPlugin
import AuditRecord
import Linux

/// Flags and verity: the watch of files sees nothing of them, and most records of them name no file.
extension IntegrityPlugin {
  /// Words of a command line that may name a file.
  private static let mostWords = 16

  /// Looks at the file, or at what the command line may mean, so that a change is found before the next
  /// scan. That says where to look, and not who it was.
  ///
  /// A command line is what its user wants it to be: a file that is not known already is left to the scans,
  /// and so is whatever leads elsewhere.
  mutating func look(after deed: Deed, of event: AuditEvent) {
    for path in deed.items.compactMap(\.path) where options.policy.watched(path) != nil {
      note(path, isFound: true)
    }
    guard deed.items.isEmpty else { return }
    let words = deed.program.arguments.dropFirst().prefix(Self.mostWords)
      .filter { ![nil, UInt8(ascii: "-"), UInt8(ascii: "+")].contains($0.first) }
    var folder: FilePath?
    if words.contains(where: { $0.first != UInt8(ascii: "/") }),
      let call = event.record(.syscall), let parent = event.number("ppid", of: call)
    {
      // The process itself is gone; whoever started it, as a shell, is mostly where it was.
      folder = processes.workingFolder(of: parent)
    }
    for word in words {
      let path =
        word.first == UInt8(ascii: "/")
        ? FilePath(word) : folder.map { FilePath($0.bytes + [0x2f] + word) }
      if let path, isKnown(path) { note(path, isFound: true) }
    }
  }

  private func isKnown(_ path: FilePath) -> Bool {
    guard options.policy.watched(path) != nil, !watching.isSilent(path),
      !path.bytes.split(separator: UInt8(ascii: "/")).contains(Array("..".utf8)[...])
    else { return false }
    return (try? known.state(of: path)) ?? nil != nil
  }
}

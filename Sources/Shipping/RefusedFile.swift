public import AudispatchPlugin
public import Configuration
import Glibc
public import Linux

/// Where documents go that no server takes: a line each, with the reason, which the disk has before
/// the document counts as done.
public struct RefusedFile: Sendable {
  public let path: String

  public init(path: String) { self.path = path }

  /// `refused_file`, whose value is `nil` for `none`.
  public static func keyword<Options>(
    _ place: any WritableKeyPath<Options, String?> & Sendable, about: String,
    noting places: any WritableKeyPath<Options, SettingPlaces> & Sendable
  ) -> PluginKeyword<Options> {
    .value("refused_file", "FILE", about) { (o: inout Options, w: Word) throws(Diagnostic) in
      o[keyPath: place] =
        w.text.lowercased() == "none" ? nil : try w.absolutePath(for: "refused_file")
    }.noting(in: places)
  }

  /// Why nothing could be written there. Blocks.
  public static func problems(_ path: String?, _ places: SettingPlaces) -> [Diagnostic] {
    guard let path else { return [] }
    if let status = try? Files.status(of: path), status.kind != .regular {
      return [
        places.problem("refused_file", "\(path) is a \(status.kind.rawValue), not a file")
      ]
    }
    return WriteAccess.refusal(path).map { [places.problem("refused_file", "\($0)")] } ?? []
  }

  /// Appends lines; throws, and leaves nothing of them behind, when the disk does not take them.
  public func append(_ lines: [UInt8]) throws(SystemError) {
    let folder = path[..<(path.lastIndex(of: "/") ?? path.startIndex)]
    if !folder.isEmpty, (try? Files.status(of: String(folder))) == nil {
      try Files.makeFolder(String(folder), mode: 0o700)
    }
    let file = try Descriptor.open(
      path, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, mode: 0o600)
    do throws(Errno) {
      guard try Files.status(of: file.number).kind == .regular else { throw Errno(EINVAL) }
      let size = try file.size()
      do throws(Errno) {
        try Transfer.writeAll(file.number, lines)
        try Descriptor.sync(file.number, everything: false)
      } catch {
        try file.truncate(to: size)
        throw error
      }
    } catch { throw SystemError("write to", path, error) }
  }
}

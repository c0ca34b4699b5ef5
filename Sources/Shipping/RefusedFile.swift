public import AudispatchPlugin
public import Configuration
import Glibc
import Linux

/// Where documents go that no server takes: a line each, with the reason, which the disk has before
/// the document counts as done.
///
/// The file is bounded: before it becomes larger than that it is moved to `FILE.1`, and those before it
/// to the next numbers. What goes with the oldest one is counted.
public struct RefusedFile: Equatable, Sendable {
  /// Where it is; `nil`: nowhere.
  public var path: String?
  public var maximumSize = 64 << 20
  /// Files that are kept, with the one that is written.
  public var count = 5

  public init(path: String?) { self.path = path }

  /// What is gone with an old file.
  public struct Removed: Equatable, Sendable {
    public let path: String
    /// The documents that it had; `nil` for one that somebody has compressed.
    public let documents: Int?
  }

  /// `refused_file`, whose value is `none` for nowhere, `refused_max_file` and `refused_num_files`.
  public static func keywords<Options>(
    _ place: any WritableKeyPath<Options, RefusedFile> & Sendable, about: String,
    noting places: any WritableKeyPath<Options, SettingPlaces> & Sendable
  ) -> [PluginKeyword<Options>] {
    [
      .value("refused_file", "FILE", about) { (o: inout Options, w: Word) throws(Diagnostic) in
        o[keyPath: place].path =
          w.text.lowercased() == "none" ? nil : try w.absolutePath(for: "refused_file")
      }.noting(in: places),
      .value("refused_max_file", "SIZE", "how large that file may become (64M)") {
        (o: inout Options, w: Word) throws(Diagnostic) in
        o[keyPath: place].maximumSize = try w.byteCount(in: 4096...1 << 30, for: "refused_max_file")
      },
      .value("refused_num_files", "COUNT", "how many of them are kept when it is rotated (5)") {
        (o: inout Options, w: Word) throws(Diagnostic) in
        o[keyPath: place].count = try w.number(in: 2...999, for: "refused_num_files")
      },
    ]
  }

  /// Why nothing could be written there. Blocks.
  public func problems(_ places: SettingPlaces) -> [Diagnostic] {
    guard let path else { return [] }
    if let status = try? Files.status(of: path), status.kind != .regular {
      return [
        places.problem("refused_file", "\(path) is a \(status.kind.rawValue), not a file")
      ]
    }
    return WriteAccess.refusal(path).map { [places.problem("refused_file", "\($0)")] } ?? []
  }
}

extension RefusedFile {
  private static let flags = O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK

  /// Appends lines; throws, and leaves nothing of them behind, when the disk does not take them.
  ///
  /// - Parameter noting: is told what is gone for that, also where this throws.
  func append(
    _ lines: [UInt8], to path: String, noting: (Removed) -> Void
  ) throws(SystemError) {
    let folder = Files.folder(of: path)
    if (try? Files.status(of: folder)) == nil { try Files.makeFolder(folder, mode: 0o700) }
    if try !append(lines, to: path, isBounded: true) {
      try rotate(path, in: folder, noting)
      _ = try append(lines, to: path, isBounded: false)
    }
  }

  /// - Returns: `false` where the file would be too large by it; nothing is done then.
  private func append(
    _ lines: [UInt8], to path: String, isBounded: Bool
  ) throws(SystemError) -> Bool {
    let file = try Descriptor.open(path, Self.flags, mode: 0o600)
    do throws(Errno) {
      guard try Files.status(of: file.number).kind == .regular else { throw Errno(EINVAL) }
      let size = try file.size()
      if isBounded, size > 0, size + lines.count > maximumSize { return false }
      do throws(Errno) {
        // What a crash has left of a last line is given its end.
        if size > 0, try file.bytes(at: size - 1, count: 1) != [0x0a] {
          try Transfer.writeAll(file.number, [0x0a])
        }
        try Transfer.writeAll(file.number, lines)
        try Descriptor.sync(file.number, everything: false)
      } catch {
        try file.truncate(to: size)
        throw error
      }
      if size > 0 { return true }
    } catch { throw SystemError("write to", path, error) }
    try Files.syncFolder(Files.folder(of: path))
    return true
  }

  /// Makes it number 1, and each older one the next; the oldest goes.
  private func rotate(
    _ path: String, in folder: String, _ noting: (Removed) -> Void
  ) throws(SystemError) {
    try RotatedFiles.rotate(path, keeping: count) { (old, isDouble) throws(SystemError) in
      let documents = isDouble || old.hasSuffix(".gz") ? nil : try Self.lines(of: old)
      try Files.remove(old)
      if !isDouble { noting(Removed(path: old, documents: documents)) }
    }
    try Files.syncFolder(folder)
  }

  private static func lines(of path: String) throws(SystemError) -> Int {
    let file = try Descriptor.open(path, O_RDONLY | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK)
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    var count = 0
    while true {
      let result = unsafe buffer.withUnsafeMutableBytes {
        unsafe Transfer.read(file.number, into: $0)
      }
      switch result {
      case .bytes(let read): for at in 0..<read where buffer[at] == 0x0a { count += 1 }
      case .end, .wouldBlock: return count
      case .failed(let errno): throw SystemError("read", path, errno)
      }
    }
  }
}

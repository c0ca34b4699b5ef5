import Glibc
package import Linux

/// Whether a file could be written, without leaving anything behind.
package enum FileTrial {
  /// Why this process may not write the file, or make it: its rights, its confinement, or a file
  /// system that is read-only. `nil`: it may, or that cannot be tried. Blocks.
  ///
  /// What is there is opened and closed again; else a file without a name is made in the folder
  /// (O_TMPFILE of open(2)). The folder itself may be missing, when the one above is there.
  package static func refusal(_ path: String) -> SystemError? {
    do throws(SystemError) {
      if (try? Files.status(of: path)) != nil {
        _ = try Descriptor.open(path, O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY)
      } else {
        try makeNameless(in: Files.folder(of: path))
      }
      return nil
    } catch {
      let refusals: [Errno] = [.notAllowed, Errno(EPERM), Errno(EROFS)]
      return refusals.contains(error.cause) ? error : nil
    }
  }

  private static func makeNameless(in folder: String) throws(SystemError) {
    let place = (try? Files.status(of: folder)) == nil ? Files.folder(of: folder) : folder
    // asm-generic/fcntl.h: __O_TMPFILE, which goes with O_DIRECTORY.
    let nameless = Int32(0o20_000_000) | O_DIRECTORY
    _ = try Descriptor.open(place, nameless | O_WRONLY, mode: 0o600)
  }
}

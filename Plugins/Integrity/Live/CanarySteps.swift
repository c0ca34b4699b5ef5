import Glibc
import Linux

/// What the canary does in its folder, in a process of its own with a login uid of its own: it makes
/// a file, changes its mode, renames and removes it.
enum CanarySteps {
  static let folder = FileName(".audispatch-canary".utf8)

  /// How it ends.
  enum End: Int32, CaseIterable {
    case done = 0
    case noLogin = 10
    case readOnly = 11
    case failed = 12
    /// It may not write into its folder.
    case notItsOwn = 13

    fileprivate init(_ cause: Errno) {
      self =
        switch cause.number {
        case EROFS: .readOnly
        case EACCES, EPERM: .notItsOwn
        default: .failed
        }
    }
  }

  static func run(in root: FilePath, login: UInt32) -> End {
    do throws(SystemError) {
      let file = try Descriptor.open("/proc/self/loginuid", O_WRONLY)
      do throws(Errno) { try Transfer.writeAll(file.number, Array(String(login).utf8)) } catch {
        return .noLogin
      }
    } catch { return .noLogin }
    let path = root.appending(folder).text
    let (first, second) = (path + "/step", path + "/done")
    // One that was killed may have left them.
    for path in [first, second] { unsafe _ = unlink(path) }
    do throws(SystemError) {
      let file = try Descriptor.open(first, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
      do throws(Errno) { try Transfer.writeAll(file.number, [0x78]) } catch { return .failed }
    } catch { return End(error.cause) }
    guard unsafe chmod(first, 0o640) == 0, unsafe rename(first, second) == 0,
      unsafe unlink(second) == 0
    else { return .failed }
    return .done
  }

  /// Makes the folder, which only its owner may enter. One that is there is given to him where this
  /// process may do so.
  static func makeFolder(in root: FilePath, for owner: UInt32) throws(SystemError) {
    let path = root.appending(folder).text
    if unsafe mkdir(path, 0o700) != 0, errno != EEXIST {
      if errno == EROFS { return }
      throw SystemError("create", path, .current)
    }
    // A link that somebody has put there is not followed.
    guard let folder = try? Descriptor.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW),
      let status = try? Files.status(of: folder.number), status.owner != owner
    else { return }
    if fchown(folder.number, owner, owner) == 0 { fchmod(folder.number, 0o700) }
  }
}

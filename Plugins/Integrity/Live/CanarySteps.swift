import Glibc
import Linux

/// What the canary does in its folder, in a process of its own with a login uid of its own: it makes
/// a file, changes its mode, renames and removes it.
enum CanarySteps {
  /// The first argument of that process.
  static let word = "canary-steps"
  static let folder = FileName(".audispatch-canary".utf8)

  /// How it ends.
  enum End: Int32 {
    case done = 0
    case noLogin = 10
    case readOnly = 11
    case failed = 12
  }

  /// - Parameter arguments: the folder and the login uid.
  static func run(_ arguments: ArraySlice<String>) -> Int32 {
    guard let folder = arguments.first, let login = arguments.dropFirst().first else {
      return End.failed.rawValue
    }
    do throws(SystemError) {
      let file = try Descriptor.open("/proc/self/loginuid", O_WRONLY)
      do throws(Errno) { try Transfer.writeAll(file.number, Array(login.utf8)) } catch {
        return End.noLogin.rawValue
      }
    } catch { return End.noLogin.rawValue }
    let (first, second) = (folder + "/step", folder + "/done")
    // One that was killed may have left them.
    for path in [first, second] { unsafe _ = unlink(path) }
    do throws(SystemError) {
      let file = try Descriptor.open(first, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
      do throws(Errno) { try Transfer.writeAll(file.number, [0x78]) } catch {
        return End.failed.rawValue
      }
    } catch { return (error.cause.number == EROFS ? End.readOnly : .failed).rawValue }
    guard unsafe chmod(first, 0o640) == 0, unsafe rename(first, second) == 0,
      unsafe unlink(second) == 0
    else { return End.failed.rawValue }
    return End.done.rawValue
  }

  /// Makes the folder, which only root may enter.
  static func makeFolder(in root: FilePath) throws(SystemError) {
    let path = String(decoding: root.appending(folder).bytes, as: UTF8.self)
    if unsafe mkdir(path, 0o700) != 0, errno != EEXIST, errno != EROFS {
      throw SystemError("create", path, .current)
    }
  }
}

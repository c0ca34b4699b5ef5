import Configuration
import Glibc
import Linux
import RemoteProtocol
import Synchronization

/// Opens the keys and certificates that audispatch-receive may not open itself, on a thread of its own:
/// they lie where the configuration says, and that may hang.
final class KeyOpening: ThreadWork {
  /// What there is to give: descriptors that the one who takes this closes.
  struct Opened: Sendable {
    fileprivate(set) var files: [(order: ReceiverOrder, descriptor: Int32)] = []
    /// Why others are not given.
    fileprivate(set) var problems: [String] = []
    /// Whether with these a peer could connect over TLS.
    fileprivate(set) var canServe = false
  }

  private let configuration: RemoteConfiguration
  private let user: UInt32
  private let result = Mutex<Opened?>(nil)

  /// - Parameter user: whom secrets may belong to beside root.
  init(_ configuration: RemoteConfiguration, user: UInt32) {
    self.configuration = configuration
    self.user = user
  }

  deinit { for file in take()?.files ?? [] { close(file.descriptor) } }

  /// What came of it, once; `nil` until then.
  func take() -> Opened? { result.withLock { $0.take() } }

  func run() {
    var opened = Opened()
    for key in configuration.keys {
      open(key.file, .sharedKey(identity: key.identity), isSecret: true, into: &opened)
    }
    for (path, kind) in Self.files(of: configuration) {
      open(path, .file(kind), isSecret: kind == .key, into: &opened)
    }
    opened.canServe = configuration.canServeTLS(user: user)
    result.withLock { $0 = opened }
  }

  /// The certificates' files that the configuration names.
  static func files(
    of configuration: RemoteConfiguration
  ) -> [(path: String, kind: ReceiverOrder.File)] {
    let all: [(String?, ReceiverOrder.File)] = [
      (configuration.certificate, .certificate), (configuration.key, .key),
      (configuration.authorities, .authorities), (configuration.revoked, .revoked),
    ]
    return all.compactMap { path, kind in path.map { ($0, kind) } }
  }

  private func open(
    _ path: String, _ order: ReceiverOrder, isSecret: Bool, into opened: inout Opened
  ) {
    do throws(SystemError) {
      let file = try Descriptor.open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY)
      var facts = stat()
      guard unsafe fstat(file.number, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG else {
        throw SystemError("use", path, Errno(EINVAL))
      }
      if isSecret, facts.st_mode & 0o077 != 0 || ![0, user].contains(facts.st_uid) {
        opened.problems.append(
          "\(path) is not used: others may have read it (chmod 0400, owned by root)")
        return
      }
      opened.files.append((order, file.release()))
    } catch { opened.problems.append("\(error)") }
  }
}

import Configuration
import Linux

/// A host's files as data: what the loader would see, without root and without a disk.
struct Host {
  enum Entry {
    case file(String, owner: UInt32 = 0, mode: UInt32 = 0o640)
    case program(owner: UInt32 = 0, mode: UInt32 = 0o755)
    case directory(owner: UInt32 = 0, mode: UInt32 = 0o755)
    case link(String)
    case fifo
  }

  var entries: [String: Entry] = [
    "/": .directory(), "/etc/audispatch": .directory(mode: 0o750),
    Host.plugins: .directory(mode: 0o750), "/sbin": .directory(), "/sbin/p": .program(),
    "/sbin/init": .program(),
    "/usr/sbin": .directory(), "/usr/sbin/audispatchd": .program(),
    "/usr/libexec/audispatch": .directory(),
    "/usr/libexec/audispatch/audispatch-print": .program(),
    "/etc": .directory(),
    "/etc/passwd": .file(
      """
      root:x:0:0:root:/root:/bin/bash
      daemon:x:1:1::/usr/sbin:/usr/sbin/nologin
      +nis
      nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
      _laurel:x:999:995::/var/log/laurel:/usr/sbin/nologin
      """),
    "/etc/group": .file("root:x:0:\nadm:x:4:syslog,x\nnogroup:x:65534:\nssl-cert:x:110:\n"),
    "/usr": .directory(), "/usr/share": .directory(), "/bin": .directory(), "/run": .directory(),
    "/run/audispatch": .directory(),
    "/usr/share/zoneinfo": .directory(), "/var/log": .directory(),
    "/var/log/audispatch": .directory(), "/var/lib/audispatch": .directory(),
  ]

  var landlockVersion = 7

  static let plugins = "/etc/audispatch/plugins.d"

  subscript(path: String) -> Entry? {
    get { entries[path] }
    set { entries[path] = newValue }
  }

  func load(
    _ request: ConfigurationRequest = ConfigurationRequest(), user: UInt32 = 0
  ) -> LoadedConfiguration {
    LoadedConfiguration(
      request,
      LoadEnvironment(
        files: access, user: user, daemonExecutable: "/usr/sbin/audispatchd",
        landlockVersion: landlockVersion))
  }

  /// Loads with one file in the folder of plugins.
  static func load(
    plugin text: String, as name: String = "p.conf", mode: UInt32 = 0o640, owner: UInt32 = 0
  ) -> LoadedConfiguration {
    var host = Host()
    host[plugins + "/" + name] = .file(text, owner: owner, mode: mode)
    return host.load()
  }

  /// Loads with this text as `audispatchd.conf`.
  static func load(daemon text: String) -> LoadedConfiguration {
    var host = Host()
    host[ConfigurationRequest.standardDaemonFile] = .file(text)
    return host.load()
  }

  var access: FileAccess {
    let host = self
    return FileAccess(
      status: { path in host.target(of: path).flatMap { host.status($0.path) } },
      linkStatus: { host.status($0) },
      names: { folder in
        guard case .directory = host.entries[folder] else {
          return .failure(host.entries[folder] == nil ? .noSuchFile : Errno(20))
        }
        let prefix = folder == "/" ? "/" : folder + "/"
        return .success(
          host.entries.keys.filter { $0.hasPrefix(prefix) && $0 != folder }
            .map { String($0.dropFirst(prefix.count)) }.filter { !$0.contains("/") })
      },
      resolved: { path in host.target(of: path).map(\.path) },
      contents: { path, limit in
        do throws(Errno) {
          let target = try host.target(of: path).get()
          let status = try host.status(target.path).get()
          return switch target.entry {
          case .file(let text, _, _): .success(status, Array(text.utf8.prefix(limit)))
          case .program: .success(status, Array("\u{7f}ELF".utf8.prefix(limit)))
          default: .success(status, nil)
          }
        } catch { return .failure(error) }
      })
  }

  private func target(of path: String) -> Result<(path: String, entry: Entry), Errno> {
    guard let entry = entries[path] else { return .failure(.noSuchFile) }
    guard case .link(let target) = entry else { return .success((path, entry)) }
    return self.target(of: target)
  }

  private func status(_ path: String) -> Result<FileStatus, Errno> {
    let inode = UInt64(entries.keys.sorted().firstIndex(of: path) ?? 0) + 1
    return switch entries[path] {
    case .file(_, let owner, let mode), .program(let owner, let mode):
      .success(FileStatus(kind: .regular, owner: owner, mode: mode, inode: inode))
    case .directory(let owner, let mode):
      .success(FileStatus(kind: .directory, owner: owner, mode: mode, inode: inode))
    case .link:
      .success(FileStatus(kind: .symbolicLink, owner: 0, mode: 0o777, inode: inode))
    case .fifo: .success(FileStatus(kind: .fifo, owner: 0, mode: 0o600, inode: inode))
    case nil: .failure(.noSuchFile)
    }
  }
}

/// A plugin file that is fine, as lines to change.
enum Plain {
  static let lines = [
    "active = yes", "direction = out", "path = /sbin/p", "type = always", "format = string",
  ]
  static let text = lines.map { $0 + "\n" }.joined()

  /// With the lines that begin like one of these replaced, and new ones added.
  static func with(_ changed: String...) -> String {
    let keyword = { (line: String) in line.prefix { $0 != " " } }
    let kept = lines.filter { line in
      !changed.contains { keyword($0) == keyword(line) }
    }
    return (kept + changed).map { $0 + "\n" }.joined()
  }

  static func without(_ keyword: String) -> String {
    lines.filter { !$0.hasPrefix(keyword) }.map { $0 + "\n" }.joined()
  }
}

extension LoadedConfiguration {
  func count(_ severity: Diagnostic.Severity) -> Int {
    diagnostics.count { $0.severity == severity }
  }

  var texts: [String] { diagnostics.map(\.description) }

  /// What is said beside the missing daemon's file.
  var pluginTexts: [String] {
    diagnostics.filter { $0.file != ConfigurationRequest.standardDaemonFile }.map(\.description)
  }
}

import Configuration
import Glibc
import Linux
import Testing

/// A folder of this test's own, gone when it ends.
final class TemporaryFolder {
  let path: String

  init() throws {
    var template = Array("/tmp/audispatch-configuration-XXXXXX".utf8CString)
    let made = unsafe template.withUnsafeMutableBufferPointer { buffer in
      unsafe mkdtemp(buffer.baseAddress!) != nil
    }
    guard made else { throw Errno.current }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit { remove(path) }

  private func remove(_ path: String) {
    if let status = try? Files.status(of: path, followingLinks: false), status.kind == .directory {
      for name in (try? Files.names(in: path)) ?? [] { remove(path + "/" + name) }
      _ = unsafe rmdir(path)
    } else {
      _ = unsafe unlink(path)
    }
  }

  func write(_ text: String, to name: String, mode: UInt32 = 0o640) throws {
    let file = try Descriptor.open(path + "/" + name, O_WRONLY | O_CREAT, mode: mode)
    try Transfer.writeAll(file.number, Array(text.utf8))
    guard fchmod(file.number, mode) == 0 else { throw Errno.current }
  }
}

@Suite("The files of this host")
struct SystemFilesTests {
  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    _ = unsafe mkdir(folder.path + "/plugins.d", 0o750)
    try folder.write("#!/bin/sh\nexec cat\n", to: "program", mode: 0o755)
  }

  private func load() -> LoadedConfiguration {
    var request = ConfigurationRequest()
    request.daemonFile = .named(folder.path + "/audispatchd.conf")
    request.pluginDirectory = folder.path + "/plugins.d"
    return LoadedConfiguration(
      request, LoadEnvironment(user: getuid(), daemonExecutable: "/proc/self/exe"))
  }

  @Test func `are read as they are, links followed, others reported`() throws {
    let plugin = "active = yes\npath = \(folder.path)/program\nargs = a 'b c'\n"
    try folder.write("q_depth = 4321\n", to: "audispatchd.conf")
    try folder.write(plugin, to: "plugins.d/a.conf")
    try folder.write(plugin, to: "elsewhere")
    try folder.write(plugin, to: "plugins.d/open.conf", mode: 0o660)
    _ = unsafe symlink(folder.path + "/elsewhere", folder.path + "/plugins.d/b.conf")
    _ = unsafe symlink("/nowhere", folder.path + "/plugins.d/c.conf")
    _ = unsafe mkfifo(folder.path + "/plugins.d/d.conf", 0o600)
    _ = unsafe mkdir(folder.path + "/plugins.d/e", 0o700)
    _ = unsafe symlink("f.conf", folder.path + "/plugins.d/f.conf")
    let loaded = load()
    #expect(loaded.plugins.map(\.name) == ["a", "b"])
    #expect(loaded.plugins.allSatisfy { $0.isActive && $0.queueDepth == 4321 })
    #expect(loaded.plugins.first?.arguments == ["a", "b c"])
    #expect(loaded.plugins.first?.executable == loaded.plugins.last?.executable)
    #expect(loaded.unusablePlugins == ["d", "e", "f", "open"])
    let said = loaded.diagnostics.map { $0.description.dropFirst(folder.path.utf8.count + 10) }
    #expect(
      said == [
        "/c.conf: warning: ignored: the link leads nowhere",
        "/d.conf: error: a FIFO, not a file",
        "/e: error: a directory, not a file",
        "/f.conf: error: cannot be read: Too many levels of symbolic links",
        "/open.conf: error: it can be written by its group "
          + "(mode 0660); chmod g-w \(folder.path)/plugins.d/open.conf",
      ])
  }

  @Test func `are not waited for when the daemon's file is a FIFO`() {
    _ = unsafe mkfifo(folder.path + "/audispatchd.conf", 0o600)
    #expect(!load().isDaemonUsable)
  }

  @Test func `are refused in a folder that others may write to`() throws {
    try folder.write("", to: "audispatchd.conf")
    _ = unsafe chmod(folder.path, 0o777)
    #expect(!load().isDaemonUsable)
  }
}

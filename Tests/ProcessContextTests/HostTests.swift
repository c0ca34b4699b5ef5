import Glibc
import Linux
import Testing

@testable import ProcessContext

@Suite("What /proc says")
struct HostTests {
  @Test(arguments: [
    ("docker/ID", "ID", ""), ("system.slice/docker-ID.scope", "ID", "docker-ID.scope"),
    ("machine.slice/libpod-ID.scope/container", "ID", "libpod-ID.scope"),
    ("kubepods.slice/kubepods-pod9.slice/cri-containerd-ID.scope", "ID", "cri-containerd-ID.scope"),
    ("system.slice/ssh.service", "", "ssh.service"),
    ("user.slice/session-4.scope", "", "session-4.scope"),
    ("docker/0123456789ab", "", ""), ("", "", ""), ("docker/ID.mount", "", "ID.mount"),
  ])
  func `of control groups`(_ path: String, _ container: String, _ unit: String) {
    let id = String(repeating: "0123456789abcdef", count: 4)
    func filled(_ text: String) -> String { text.replacing("ID", with: id) }
    let groups = ControlGroups(Array(filled("0::/\(path)\n").utf8))
    #expect(text(groups.container) == filled(container))
    #expect(text(groups.unit) == filled(unit))
  }

  @Test func `of control groups of version 1`() {
    let id = String(repeating: "ab", count: 32)
    let groups = ControlGroups(
      Array("4:memory:/docker/\(id)\n1:name=systemd:/system.slice/docker.service\n".utf8))
    #expect(text(groups.container) == id)
    #expect(text(groups.unit) == "docker.service")
  }

  @Test func `of control groups is the same when it is asked for again`() {
    var memory = GroupMemory()
    // More than are remembered, each asked for twice in a row and again later.
    for number in Array(0..<40) + Array((0..<40).reversed()) {
      let line = Array("0::/system.slice/unit\(number).service\n".utf8)
      #expect(memory.groups(line) == ControlGroups(line))
      #expect(memory.groups(line) == ControlGroups(line))
    }
    #expect(memory.groups([]) == ControlGroups([]))
  }

  @Test func `of a process whose name is odd`() {
    let line = "7 (a) b (c\n) S 1 5 6 34816 9 4194304 1 2 3 4 5 6 7 8 20 0 1 0 4711 99 100\n"
    let status = ProcessStatus(Array(line.utf8)[...])
    #expect(
      status == ProcessStatus(parent: 1, session: 6, started: 4711, name: Array("a) b (c\n".utf8)))
    #expect(ProcessStatus(Array("7 (a) S 1".utf8)[...]) == nil)
    #expect(ProcessStatus([]) == nil)
  }

  @Test func `of what a process executes is by its own names`() throws {
    let host = HostProcesses()
    let own = try #require(host.executable(of: getpid()))
    #expect(host.executes(own, getpid()))
    #expect(!host.executes(Array("/usr/bin/env".utf8), getpid()))
    #expect(!host.executes(own, -1))
    // Another name of the same file, as with another root.
    #expect(host.executes(Array("/proc/self/exe".utf8), getpid()))
  }

  @Test func `of hashes is kept for as many files as there may be`() {
    var hashes = ExecutableHashes()
    func key(_ number: Int) -> ExecutableHashes.Key {
      ExecutableHashes.Key(
        file: FileIdentity(device: 1, inode: UInt64(number)), size: 1, changed: 1)
    }
    for number in 0..<10_000 {
      hashes.add(key(number), [UInt8(number % 256)])
      #expect(hashes[key(0)] == [0])
      #expect(hashes.count <= ExecutableHashes.most + 1)
    }
    #expect(hashes[key(5)] == nil)
  }
}

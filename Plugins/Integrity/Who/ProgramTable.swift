import AudispatchPlugin
import AuditRecord

/// Which programs ran, as far as audited system calls tell: to name the programs that led to a deed.
///
/// Numbers of processes are used again: a parent is believed only if it is of the same login and
/// session, which children have from their parents.
struct ProgramTable {
  /// A table this large holds every process of most hosts; it begins anew when it is full.
  private static let bound = 65_536
  private static let deepest = 8

  private struct Entry {
    var program: Deed.Program
    var parent: UInt32
    var login: Login
    var session: UInt32?
  }

  private var entries: [UInt32: Entry] = [:]

  mutating func note(_ event: AuditEvent) {
    guard let call = event.record(.syscall), let pid = event.number("pid", of: call),
      let parent = event.number("ppid", of: call)
    else { return }
    if event.value("success", of: call)?.elementsEqual("no".utf8) == true { return }
    if entries.count >= Self.bound { entries.removeAll(keepingCapacity: true) }
    // An execve tells all arguments; what the process shows may be cut, or altered by itself.
    var arguments = event.arguments() ?? event.processTitle() ?? []
    let executable = event.value("exe", of: call)
    if event.arguments() == nil, let known = entries[pid], known.parent == parent,
      known.program.executable == executable, !known.program.arguments.isEmpty
    {
      arguments = known.program.arguments
    }
    entries[pid] = Entry(
      program: Deed.Program(pid: pid, executable: executable, arguments: arguments),
      parent: parent, login: Login(event.value("auid", of: call)),
      session: event.number("ses", of: call).flatMap { $0 == .max ? nil : $0 })
  }

  /// The programs above a process, its parent first; ends where nothing is known.
  func ancestors(of pid: UInt32) -> [Deed.Program] {
    var found: [Deed.Program] = []
    guard var entry = entries[pid] else { return [] }
    while found.count < Self.deepest, let next = entries[entry.parent],
      next.login == entry.login, next.session == entry.session, next.program.pid != pid
    {
      found.append(next.program)
      entry = next
    }
    return found
  }
}

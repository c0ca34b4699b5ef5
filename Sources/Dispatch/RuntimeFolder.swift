import Glibc
import Linux

/// `/run/audispatch`: who runs, the control socket, `state.json`. One dispatcher at a time has it.
struct RuntimeFolder: ~Copyable {
  let path: String
  private var lock: Descriptor?
  private var hasSaidThatItWaits = false

  init(path: String) { self.path = path }

  /// Whether the folder was taken: only then may plugins be started.
  var isOurs: Bool { lock != nil }

  var controlSocket: String { path + "/control.sock" }

  var shouldSayThatItWaits: Bool {
    mutating get {
      defer { hasSaidThatItWaits = true }
      return !hasSaidThatItWaits
    }
  }

  /// Takes the folder; `false` while another dispatcher has it.
  ///
  /// Plugins of a predecessor that did not get to stop them are waited for as well: they had the
  /// end of their input, and two generations of a plugin must not overlap.
  mutating func take() throws(SystemError) -> Bool {
    if unsafe mkdir(path, 0o755) != 0, errno != EEXIST {
      throw SystemError("create", path, .current)
    }
    if lock == nil, candidate == nil {
      candidate = try Descriptor.open(path + "/lock", O_RDWR | O_CREAT, mode: 0o640)
    }
    guard candidate?.tryLock() ?? false else { return false }
    guard orphansAreGone() else { return false }
    lock = candidate.take()
    return true
  }

  private var candidate: Descriptor?
  private var orphansSince: Moment?

  /// Removes what others would take for a running dispatcher's.
  mutating func leave() {
    guard isOurs else { return }
    unsafe unlink(controlSocket)
    unsafe unlink(path + "/children")
    lock = nil
  }

  /// Writes a file beside its place and moves it there, so that nobody reads half of it.
  func write(_ name: String, _ text: String) throws(SystemError) {
    guard isOurs else { return }
    let place = "\(path)/\(name)"
    let file = try Descriptor.open(place + ".new", O_WRONLY | O_CREAT | O_TRUNC, mode: 0o640)
    _ = fchmod(file.number, 0o640)
    do throws(Errno) {
      try Transfer.writeAll(file.number, Array(text.utf8))
    } catch { throw SystemError("write", place, error) }
    guard unsafe rename(place + ".new", place) == 0 else {
      throw SystemError("rename", place, .current)
    }
  }

  // MARK: Children of a dispatcher that died

  /// Notes who our children are, for a successor should we be killed.
  func noteChildren(_ plugins: [Plugin]) {
    var text = ""
    for plugin in plugins {
      if let pid = plugin.child?.pid, let start = ProcessFacts.startTime(pid) {
        text += "\(pid) \(start) \(plugin.name)\n"
      }
    }
    try? write("children", text)  // Without it a successor only cannot wait for them.
  }

  /// Whether the children that a killed predecessor noted are gone; they are asked, then made to go.
  private mutating func orphansAreGone() -> Bool {
    guard let bytes = try? Transfer.contents(of: path + "/children", limit: 1 << 20) else {
      return true  // No such file: nobody left any.
    }
    let now = Moment.now
    let since = orphansSince ?? now
    orphansSince = since
    var areGone = true
    for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
      let words = line.split(separator: " ")
      guard words.count >= 2, let pid = Int32(words[0]), let start = UInt64(words[1]),
        ProcessFacts.startTime(pid) == start
      else { continue }
      areGone = false
      // Their input has ended; two seconds later they are asked, three later made to go.
      if now - since > .seconds(5) {
        kill(pid, SIGKILL)
      } else if now - since > .seconds(2) {
        kill(pid, SIGTERM)
      }
    }
    return areGone
  }
}

/// Facts from /proc.
enum ProcessFacts {
  /// When a process started, in clock ticks since boot; with its number it names a process for good.
  /// `nil` when there is none, or only its remains.
  static func startTime(_ pid: Int32) -> UInt64? {
    guard let bytes = try? Transfer.contents(of: "/proc/\(pid)/stat", limit: 4096),
      let bracket = bytes.lastIndex(of: UInt8(ascii: ")"))
    else { return nil }
    let words = String(decoding: bytes[(bracket + 1)...], as: UTF8.self).split(separator: " ")
    guard words.count > 19, words[0] != "Z" else { return nil }
    return UInt64(words[19])
  }
}

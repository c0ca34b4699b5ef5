import COpenSSL
import Glibc
public import Linux

/// This host's processes, from /proc. Nothing here waits, but for a file system that hangs under an
/// executable that is to be hashed.
public final class HostProcesses: ProcessSource {
  public let run: [UInt8]
  private var buffer: [UInt8]
  private var hashes = ExecutableHashes()

  public init() {
    buffer = [UInt8](repeating: 0, count: 32 << 10)
    let id = (try? Transfer.contents(of: "/proc/sys/kernel/random/boot_id", limit: 64)) ?? []
    run = Array(id.prefix(8))
  }

  /// By the clock as it is now, which may have been set since.
  public var started: UInt64 {
    var now = timespec()
    var sinceStart = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &now)
    unsafe clock_gettime(CLOCK_BOOTTIME, &sinceStart)
    return UInt64(clamping: Self.milliseconds(now) - Self.milliseconds(sinceStart))
  }

  private static func milliseconds(_ time: timespec) -> Int {
    time.tv_sec * 1000 + time.tv_nsec / 1_000_000
  }

  public func pids() -> Set<Int32>? {
    (try? Files.names(in: "/proc")).map { Set($0.compactMap { Int32($0) }) }
  }

  public func status(of pid: Int32) -> ProcessStatus? {
    read("stat", of: pid, limit: 4096).flatMap { ProcessStatus($0) }
  }

  public func executable(of pid: Int32) -> [UInt8]? {
    let count = unsafe buffer.withUnsafeMutableBytes { bytes in
      unsafe readlink(
        "/proc/\(pid)/exe", bytes.baseAddress!.assumingMemoryBound(to: CChar.self), 4096)
    }
    return count > 0 ? Array(buffer[..<count]) : nil
  }

  public func arguments(of pid: Int32) -> [UInt8]? {
    whole("cmdline", of: pid)
  }

  public func controlGroups(of pid: Int32) -> [UInt8]? {
    read("cgroup", of: pid, limit: 16 << 10).map { Array($0) }
  }

  public func environment(of pid: Int32) -> [UInt8]? { whole("environ", of: pid) }

  /// Seldom more than fits at once; bounded by what the kernel takes for one process.
  private func whole(_ name: StaticString, of pid: Int32) -> [UInt8]? {
    guard let first = read(name, of: pid, limit: buffer.count) else { return nil }
    let all = Array(first)
    guard all.count == buffer.count else { return all }
    return (try? Transfer.contents(of: "/proc/\(pid)/\(name)", limit: 1 << 20)) ?? all
  }

  public func groups(of pid: Int32) -> [UInt32]? {
    guard let text = read("status", of: pid, limit: buffer.count) else { return nil }
    for line in text.split(separator: 0x0a) where line.starts(with: "Groups:".utf8) {
      return line.dropFirst(7).split { $0 == 0x20 || $0 == 0x09 }.compactMap {
        UInt32(String(decoding: $0, as: UTF8.self))
      }
    }
    return nil
  }

  public func file(_ path: [UInt8], seenBy pid: Int32) -> FileIdentity? {
    guard path.first == 0x2f, !path.contains(0) else { return nil }
    return Self.identity(Array("/proc/\(pid)/root".utf8) + path)
  }

  public func executes(_ executable: [UInt8], _ pid: Int32) -> Bool {
    guard let name = self.executable(of: pid) else { return false }
    if ProcessTracker.lasting(name) == executable { return true }
    // With another root the same file has another name.
    guard let file = Self.identity(Array("/proc/\(pid)/exe".utf8)) else { return false }
    return file == self.file(executable, seenBy: pid)
  }

  private static func identity(_ path: [UInt8]) -> FileIdentity? {
    var status = stat()
    let found = unsafe (path + [0]).withUnsafeBytes { name in
      unsafe stat(name.baseAddress!.assumingMemoryBound(to: CChar.self), &status)
    }
    return found == 0
      ? FileIdentity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino)) : nil
  }

  public func hash(of pid: Int32, limit: Int) -> [UInt8]? {
    // Only a regular file can be executed; the link leads to it also where its name is gone.
    guard let file = try? Descriptor.open("/proc/\(pid)/exe", O_RDONLY | O_NONBLOCK | O_NOCTTY)
    else { return nil }
    var status = stat()
    guard unsafe fstat(file.number, &status) == 0, status.st_size <= limit else { return nil }
    let key = ExecutableHashes.Key(
      file: FileIdentity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino)),
      size: Int64(status.st_size), changed: Self.nanoseconds(status.st_ctim))
    if let known = hashes[key] { return known }
    guard let digest = digest(of: file, limit: limit) else { return nil }
    hashes.add(key, digest)
    return digest
  }

  private static func nanoseconds(_ time: timespec) -> Int64 {
    Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
  }

  private func digest(of file: borrowing Descriptor, limit: Int) -> [UInt8]? {
    guard let context = unsafe EVP_MD_CTX_new() else { return nil }
    defer { unsafe EVP_MD_CTX_free(context) }
    guard unsafe EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else { return nil }
    var left = limit
    while true {
      let result = unsafe buffer.withUnsafeMutableBytes { bytes in
        unsafe Transfer.read(file.number, into: bytes)
      }
      switch result {
      case .bytes(let count):
        // One that grows meanwhile is not taken for what it was.
        left -= count
        guard left >= 0 else { return nil }
        _ = unsafe buffer.withUnsafeBytes { bytes in
          unsafe EVP_DigestUpdate(context, bytes.baseAddress!, count)
        }
      case .end:
        var digest = [UInt8](repeating: 0, count: 32)
        let done = unsafe digest.withUnsafeMutableBytes { bytes in
          unsafe EVP_DigestFinal_ex(
            context, bytes.baseAddress!.assumingMemoryBound(to: UInt8.self), nil)
        }
        return done == 1 ? digest : nil
      case .wouldBlock, .failed: return nil
      }
    }
  }

  /// The beginning of a process's file in /proc; valid until the next call.
  private func read(
    _ name: StaticString, of pid: Int32, limit: Int
  ) -> ArraySlice<UInt8>? {
    guard pid > 0 else { return nil }
    let file = unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 48) { path in
      unsafe Self.write(name, of: pid, to: path)
      return unsafe open(path.baseAddress!, O_RDONLY | O_CLOEXEC | O_NOCTTY)
    }
    guard file >= 0 else { return nil }
    defer { close(file) }
    let limit = min(limit, buffer.count)
    var count = 0
    while count < limit {
      let more = unsafe buffer.withUnsafeMutableBytes { bytes in
        unsafe Glibc.read(file, bytes.baseAddress! + count, limit - count)
      }
      if more < 0, errno == EINTR { continue }
      guard more >= 0 else { return nil }
      // A short read of /proc is nearly always all there is.
      if more == 0 { break }
      count += more
      if count < 4096 { break }
    }
    return buffer[..<count]
  }

  /// `/proc/PID/NAME`, which takes 48 bytes at most.
  private static func write(
    _ name: StaticString, of pid: Int32, to path: UnsafeMutableBufferPointer<CChar>
  ) {
    precondition(name.utf8CodeUnitCount <= 16, "a name of /proc is short")
    var at = 0
    func add(_ text: StaticString) {
      for place in 0..<text.utf8CodeUnitCount {
        unsafe path[at] = CChar(bitPattern: text.utf8Start[place])
        at += 1
      }
    }
    add("/proc/")
    var divisor: UInt32 = 1
    let number = pid.magnitude
    while number / divisor >= 10 { divisor *= 10 }
    while divisor > 0 {
      unsafe path[at] = CChar(0x30 + number / divisor % 10)
      at += 1
      divisor /= 10
    }
    add("/")
    add(name)
    unsafe path[at] = 0
  }
}

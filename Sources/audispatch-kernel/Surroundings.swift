import Glibc
import Linux

/// What stands in the way of hearing the kernel, said with what to do about it.
enum Surroundings {
  /// Why the multicast group could not be joined.
  static func adviceOnJoining(_ cause: Errno) -> String? {
    switch cause.number {
    case EPERM where Capabilities.effective.contains(.auditRead):
      "CAP_AUDIT_READ counts only in the initial user namespace: run outside of the container"
    case EPERM: "reading the kernel's audit messages needs CAP_AUDIT_READ: run as root or grant it"
    case EPROTONOSUPPORT, EAFNOSUPPORT, EINVAL:
      "this kernel was built without audit, or keeps it from this network namespace"
    default: nil
    }
  }

  /// Why the kernel does not tell its state.
  static func adviceOnAsking(_ cause: Errno) -> String {
    Capabilities.effective.contains(.auditControl) && cause.number != EACCES
      ? "works only in the initial user and process namespaces" : "needs CAP_AUDIT_CONTROL"
  }

  /// What is said of a receive buffer that is smaller than was asked for.
  static func warningAboutBuffer(_ bytes: Int) -> String {
    let why =
      Capabilities.effective.contains(.netAdmin)
      ? "the kernel refused" : "without CAP_NET_ADMIN there is"
    return
      "warning: \(why) no larger receive buffer than \(bytes) bytes: bursts beyond some \(bytes / 1024) records "
      + "are lost and counted; grant CAP_NET_ADMIN or raise net.core.rmem_max"
  }

  /// Whether this network namespace is known to be another than the initial one.
  ///
  /// The kernel sends audit messages to the initial network namespace alone.
  static var isInOtherNetwork: Bool {
    guard let own = link("/proc/self/ns/net") else { return false }
    // The numbers of the initial namespaces are the kernel's interface; the network's since 6.18.
    if link("/proc/self/ns/pid") == "pid:[4026531836]", let first = link("/proc/1/ns/net") {
      return own != first
    }
    return kernelNumbersNetworks && own != "net:[4026531833]"
  }

  private static var kernelNumbersNetworks: Bool {
    guard let release = try? Transfer.contents(of: "/proc/sys/kernel/osrelease", limit: 64) else {
      return false
    }
    let parts = release.split(separator: UInt8(ascii: "."))
    let numbers = parts.prefix(2).compactMap { Int(String(decoding: $0, as: UTF8.self)) }
    return numbers.count == 2 && (numbers[0], numbers[1]) >= (6, 18)
  }

  private static func link(_ path: String) -> String? {
    var target = [UInt8](repeating: 0, count: 64)
    let count = unsafe target.withUnsafeMutableBytes { buffer in
      unsafe readlink(
        path, buffer.assumingMemoryBound(to: CChar.self).baseAddress!, buffer.count)
    }
    return count > 0 ? String(decoding: target[..<count], as: UTF8.self) : nil
  }
}

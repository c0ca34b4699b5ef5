import Foundation
import Glibc
import Linux
import Synchronization

/// A service manager's ear: takes what a service tells, and the descriptors that it gives away.
final class NotifySocket: Sendable {
  /// What `NOTIFY_SOCKET` says: a path, or an abstract name with `@` in front.
  let address: String
  private let socket: Descriptor
  private let taken = Mutex<(messages: [String], descriptors: [String: Int32])>(([], [:]))

  init(_ address: String) throws {
    self.address = address
    let type = Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    let number = Glibc.socket(AF_UNIX, type, 0)
    guard number >= 0 else { throw Errno.current }
    socket = Descriptor(owning: number)
    var name = sockaddr_un()
    name.sun_family = sa_family_t(AF_UNIX)
    var bytes = Array(address.utf8)
    let isAbstract = bytes.first == UInt8(ascii: "@")
    if isAbstract { bytes[0] = 0 }
    unsafe withUnsafeMutableBytes(of: &name.sun_path) { unsafe $0.copyBytes(from: bytes) }
    let size = isAbstract ? 2 + bytes.count : MemoryLayout<sockaddr_un>.size
    let bound = unsafe withUnsafePointer(to: &name) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
        unsafe bind(number, generic, socklen_t(size))
      }
    }
    guard bound == 0 else { throw Errno.current }
  }

  deinit { taken.withLock { $0.descriptors.values.forEach { close($0) } } }

  /// Everything that was told until now.
  var messages: [String] {
    receive()
    return taken.withLock { $0.messages }
  }

  /// What is kept, by name.
  var stored: [String: Int32] {
    receive()
    return taken.withLock { $0.descriptors }
  }

  /// Loses what is kept by other names.
  func loseAll(but names: Set<String>) {
    receive()
    taken.withLock { taken in
      for (name, number) in taken.descriptors where !names.contains(name) {
        close(number)
        taken.descriptors[name] = nil
      }
    }
  }

  private func receive() {
    taken.withLock { taken in
      while let (text, descriptor) = next() {
        taken.messages.append(text)
        let name = text.split(separator: "\n").first { $0.hasPrefix("FDNAME=") }.map {
          String($0.dropFirst(7))
        }
        guard let name else { continue }
        if text.hasPrefix("FDSTOREREMOVE=1") {
          if let before = taken.descriptors.removeValue(forKey: name) { close(before) }
        }
        guard let descriptor else { continue }
        if let before = taken.descriptors.updateValue(descriptor, forKey: name) { close(before) }
      }
    }
  }

  /// One message, with the descriptor in it.
  private func next() -> (String, Int32?)? {
    var bytes = [UInt8](repeating: 0, count: 4096)
    // A header of 16 bytes (length, level, type), and the number.
    var control = [Int32](repeating: -1, count: 6)
    let count = unsafe bytes.withUnsafeMutableBytes { bytes in
      unsafe control.withUnsafeMutableBytes { control in
        var part = unsafe iovec(iov_base: bytes.baseAddress, iov_len: bytes.count)
        return unsafe withUnsafeMutablePointer(to: &part) { part in
          var message = unsafe msghdr()
          unsafe message.msg_iov = part
          unsafe message.msg_iovlen = 1
          unsafe message.msg_control = control.baseAddress
          unsafe message.msg_controllen = control.count
          return unsafe recvmsg(
            socket.number, &message,
            Int32(MSG_DONTWAIT) | Int32(MSG_CMSG_CLOEXEC))
        }
      }
    }
    guard count >= 0 else { return nil }
    return (String(decoding: bytes[..<count], as: UTF8.self), control[4] >= 0 ? control[4] : nil)
  }
}

import Glibc
import Linux

/// A name server of a test's own, at an address of the loopback: it answers when the test says so.
final class NameServer {
  static let address = "127.0.0.9"
  private let number: Int32

  init() throws {
    number = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
    var place = sockaddr_in()
    place.sin_family = sa_family_t(AF_INET)
    place.sin_port = UInt16(53).bigEndian
    place.sin_addr.s_addr = unsafe inet_addr(Self.address)
    let result = unsafe withUnsafePointer(to: &place) {
      unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe bind(number, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard result == 0 else { throw Errno.current }
  }

  deinit { close(number) }

  /// Whether somebody has asked, and waits.
  var isAsked: Bool { Poll.readable([number], within: .zero)[0] }

  /// Answers what was asked so far: each name has the address 192.0.2.7, and no other.
  func answer() {
    while isAsked {
      var question = [UInt8](repeating: 0, count: 512)
      var peer = sockaddr_in()
      var length = socklen_t(MemoryLayout<sockaddr_in>.size)
      let count = unsafe withUnsafeMutablePointer(to: &peer) {
        unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          unsafe recvfrom(number, &question, question.count, 0, $0, &length)
        }
      }
      guard count > 16, let reply = Self.reply(to: Array(question[..<count])) else { continue }
      _ = unsafe withUnsafePointer(to: &peer) {
        unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          unsafe sendto(number, reply, reply.count, 0, $0, length)
        }
      }
    }
  }

  /// By RFC 1035: the question, and for one of type A what the name in it, at byte 12, is.
  private static func reply(to question: [UInt8]) -> [UInt8]? {
    guard let end = question[12...].firstIndex(of: 0), end + 5 <= question.count else { return nil }
    let isOfTypeA = question[end + 2] == 1
    return question[..<2] + [0x85, 0x80, 0, 1, 0, isOfTypeA ? 1 : 0, 0, 0, 0, 0]
      + question[12..<end + 5]
      + (isOfTypeA ? [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 7] : [])
  }
}

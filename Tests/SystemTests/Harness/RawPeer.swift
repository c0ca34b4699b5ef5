import Foundation
import Glibc
import Linux

/// A peer whose every byte a test says. Little endian, as the protocol is.
final class RawPeer {
  let number: Int32
  private var bytes: [UInt8] = []

  init(_ port: UInt16) throws {
    // A receiver that was just started may not listen yet.
    for _ in 0..<600 {
      if let number = loopbackConnection(to: port) {
        self.number = number
        return
      }
      usleep(100_000)
    }
    throw Errno(ECONNREFUSED)
  }

  /// Over a connection that is there.
  init(owning number: Int32) { self.number = number }

  deinit { Glibc.close(number) }

  static func message(_ type: UInt32, _ sequence: UInt32, _ payload: String = "") -> [UInt8] {
    func bytes(_ value: some FixedWidthInteger) -> [UInt8] {
      (0..<value.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
    return [0xfe, 0, 0, 0xff, 0, 0] + bytes(type) + bytes(UInt16(payload.utf8.count))
      + bytes(sequence) + Array(payload.utf8)
  }

  func say(_ bytes: [UInt8]) throws {
    guard Self.write(bytes, to: number) else { throw Errno.current }
  }

  /// Writes all of it, however long that takes; `false` when the other side is gone.
  static func write(_ bytes: [UInt8], to number: Int32) -> Bool {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = unsafe rest.withUnsafeBytes {
        unsafe Glibc.send(number, $0.baseAddress!, $0.count, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { return false }
      rest = rest.dropFirst(count)
    }
    return true
  }

  func record(_ line: String, _ sequence: UInt32) throws {
    try say(Self.message(0, sequence, line + "\n"))
  }

  struct Reply: Equatable {
    var type: UInt32
    var sequence: UInt32
    var text: String
  }

  /// The next reply; `nil` when the connection ends before one.
  func reply(within time: Duration = .seconds(60)) throws -> Reply? {
    while true {
      if bytes.count >= 16 {
        func number(_ at: Int, _ count: Int) -> UInt32 {
          (0..<count).reduce(0) { $0 | UInt32(bytes[at + $1]) << UInt32(8 * $1) }
        }
        let end = 16 + Int(number(10, 2))
        if bytes.count >= end {
          defer { bytes.removeFirst(end) }
          return Reply(
            type: number(6, 4), sequence: number(12, 4),
            text: String(decoding: bytes[16..<end], as: UTF8.self))
        }
      }
      guard Poll.readable([number], within: time)[0] else {
        throw Timeout(description: "no reply within \(time)")
      }
      var more = [UInt8](repeating: 0, count: 64 << 10)
      let count = unsafe more.withUnsafeMutableBytes {
        unsafe Glibc.read(number, $0.baseAddress!, $0.count)
      }
      if count <= 0 { return nil }
      bytes += more[..<count]
    }
  }

  /// Whether any bytes come before the connection ends; they are taken.
  func bytesCame() throws -> Bool {
    guard Poll.readable([number], within: .seconds(60))[0] else {
      throw Timeout(description: "neither bytes nor an end")
    }
    var some = [UInt8](repeating: 0, count: 4096)
    return unsafe some.withUnsafeMutableBytes {
      unsafe Glibc.read(number, $0.baseAddress!, $0.count)
    } > 0
  }

  /// Whether the other side closes the connection within that time, saying no more.
  func isEnded() throws -> Bool { try reply() == nil }

  func finish() { shutdown(number, Int32(SHUT_WR)) }

  /// Ends the connection without a word, and what is on its way with it.
  func reset() throws {
    var off = linger(l_onoff: 1, l_linger: 0)
    let size = socklen_t(MemoryLayout<linger>.size)
    _ = unsafe setsockopt(number, SOL_SOCKET, SO_LINGER, &off, size)
    // The number stays taken until this peer is let go of.
    let null = try Descriptor.open("/dev/null", O_RDONLY)
    dup2(null.number, number)
  }
}

import Foundation
import Glibc
import Linux
import PluginHarness
import Testing

/// A program that has connected to the socket.
final class TestClient {
  private let socket: Descriptor
  private(set) var bytes: [UInt8] = []
  private(set) var hasEnded = false

  init(_ path: String) throws {
    socket = try UnixSocket.connect(path)
    socket.setNonblocking(true)
  }

  var text: String { String(decoding: bytes, as: UTF8.self) }
  var lines: [String] { text.split(separator: "\n").map(String.init) }

  /// Reads what is there.
  func read() {
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    while !hasEnded {
      let result = unsafe buffer.withUnsafeMutableBytes {
        unsafe Transfer.read(socket.number, into: $0)
      }
      switch result {
      case .bytes(let count): bytes += buffer[..<count]
      case .wouldBlock: return
      case .end, .failed: hasEnded = true
      }
    }
  }

  /// Reads until that has come.
  func await(_ text: String, andMore end: String = "") -> Bool {
    let wanted = Array((text + end).utf8)
    for _ in 0..<1500 {
      read()
      if bytes.suffix(wanted.count).elementsEqual(wanted) { return true }
      _ = Poll.readable([socket.number], within: .milliseconds(20))
    }
    return false
  }

  /// Reads until the other side has closed.
  func awaitEnd() -> Bool {
    for _ in 0..<1500 {
      read()
      if hasEnded { return true }
      _ = Poll.readable([socket.number], within: .milliseconds(20))
    }
    return false
  }
}

import CSecureChannel
import Linux

/// TLS over a connected socket; never blocks.
@safe
final class SecureChannel {
  enum Outcome: Equatable {
    case bytes(Int)
    case wantsRead
    case wantsWrite
    case ended
  }

  private let channel: OpaquePointer
  private var why = [CChar](repeating: 0, count: 256)

  /// - Parameter name: what the server's certificate must be valid for.
  init(_ socket: Int32, name: String, _ files: SyslogOptions.TLS) throws(LinkFailure) {
    let made = unsafe sc_new(
      socket, name, files.authorities, files.certificate, files.key, &why, why.count)
    guard let made = unsafe made else { throw LinkFailure(Self.text(why)) }
    unsafe channel = made
  }

  /// The keyword of the file that cannot be used, and why; `nil` when all can.
  static func objection(to files: SyslogOptions.TLS) -> (keyword: String, reason: String)? {
    var why = [CChar](repeating: 0, count: 256)
    let wrong = unsafe sc_check_files(
      files.authorities, files.certificate, files.key, &why, why.count)
    switch Int(wrong) {
    case 0: return nil
    case Int(sc_authorities): return ("tls_ca", text(why))
    case Int(sc_certificate): return ("tls_cert", text(why))
    default: return ("tls_key", text(why))
    }
  }

  deinit { unsafe sc_free(channel) }

  /// Whether hands are shaken.
  func handshake() throws(LinkFailure) -> Outcome {
    try outcome(Int(unsafe sc_handshake(channel, &why, why.count)))
  }

  /// Whether the server is known to have judged our certificate, or has nothing to judge.
  var isJudged: Bool { unsafe sc_is_judged(channel) }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws(LinkFailure) -> Outcome {
    guard let base = buffer.baseAddress else { return .bytes(0) }
    return try outcome(unsafe sc_read(channel, base, buffer.count, &why, why.count))
  }

  func write(_ bytes: UnsafeRawBufferPointer) throws(LinkFailure) -> Outcome {
    guard let base = bytes.baseAddress else { return .bytes(0) }
    return try outcome(unsafe sc_write(channel, base, bytes.count, &why, why.count))
  }

  /// Bytes that went into the socket.
  var written: UInt64 { unsafe sc_written(channel) }

  func close() { unsafe sc_close(channel) }

  private func outcome(_ result: Int) throws(LinkFailure) -> Outcome {
    if result >= 0 { return .bytes(result) }
    switch Int32(result) {
    case Int32(sc_wants_read): return .wantsRead
    case Int32(sc_wants_write): return .wantsWrite
    case Int32(sc_ended): return .ended
    default: throw LinkFailure(Self.text(why))
    }
  }

  private static func text(_ bytes: [CChar]) -> String {
    String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

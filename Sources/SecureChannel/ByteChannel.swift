public import Linux

/// A connected stream of bytes, in the clear or through TLS. Never blocks.
public final class ByteChannel {
  public enum Outcome: Equatable {
    case bytes(Int)
    /// Nothing now; what to wait for.
    case wants(Interest)
    case ended
  }

  private let socket: Descriptor
  private var secure: TLSConnection?
  private var plainWritten: UInt64 = 0

  public init(_ socket: consuming Descriptor) { self.socket = socket }

  public var number: Int32 { socket.number }

  /// From now on everything goes through TLS.
  public func secure(_ identity: TLSIdentity) throws(ChannelFailure) {
    secure = try TLSConnection(number, identity)
  }

  /// The same, for a connection that a peer began.
  public func secure(_ server: TLSServer) throws(ChannelFailure) {
    secure = try TLSConnection(number, server)
  }

  /// Who the peer is, as its key or certificate says; empty in the clear.
  public var peerIdentity: String { secure?.peerIdentity ?? "" }

  /// How long the peer's certificate still counts; `nil` when it showed none.
  public var peerTimeLeft: Duration? { secure?.peerTimeLeft }

  /// Why a peer that has shaken hands would not be let in by that server, which came instead of the one
  /// that let it in; `nil`: it would be, or is here in the clear.
  public func objection(of server: TLSServer) -> String? { secure?.objection(of: server) }

  /// Whether it goes through TLS.
  public var isSecure: Bool { secure != nil }

  /// Whether bytes can be exchanged; else what to wait for.
  public func begin() throws(ChannelFailure) -> Outcome {
    guard let secure else { return .bytes(0) }
    return Self.outcome(try secure.handshake())
  }

  /// Whether the server is known to have judged our certificate, or has nothing to judge; with TLS
  /// 1.3 a server does so when our handshake is over.
  public var isJudged: Bool { secure?.isJudged ?? true }

  /// - Parameter limit: of bytes. With TLS more may have come then than is waited for.
  public func read(
    into buffer: inout [UInt8], atMost limit: Int = .max
  ) throws(ChannelFailure) -> Outcome {
    let count = min(buffer.count, limit)
    if let secure {
      let result = unsafe buffer.withUnsafeMutableBytes { room in
        Result { () throws(ChannelFailure) in
          unsafe try secure.read(into: UnsafeMutableRawBufferPointer(rebasing: room[..<count]))
        }
      }
      return Self.outcome(try result.get())
    }
    let result = unsafe buffer.withUnsafeMutableBytes {
      unsafe Transfer.read(
        number, into: UnsafeMutableRawBufferPointer(rebasing: $0[..<count]))
    }
    switch result {
    case .bytes(let count): return .bytes(count)
    case .wouldBlock: return .wants(.read)
    case .end: return .ended
    case .failed(let errno): throw ChannelFailure("\(errno)")
    }
  }

  public func write(_ bytes: ArraySlice<UInt8>) throws(ChannelFailure) -> Outcome {
    if let secure {
      let result = unsafe bytes.withUnsafeBytes { bytes in
        Result { () throws(ChannelFailure) in unsafe try secure.write(bytes) }
      }
      return Self.outcome(try result.get())
    }
    switch unsafe bytes.withUnsafeBytes({ unsafe UnixSocket.send(number, $0) }) {
    case .bytes(let count):
      plainWritten += UInt64(count)
      return .bytes(count)
    case .wouldBlock: return .wants(.write)
    case .failed(let errno): throw ChannelFailure("\(errno)")
    }
  }

  /// Bytes that went into the socket, and those of them that the other host has acknowledged.
  public var written: UInt64 { secure?.written ?? plainWritten }
  public var acknowledged: UInt64 {
    written - min(written, UInt64(SocketState.unacknowledged(number)))
  }

  public func close() { secure?.close() }

  private static func outcome(_ outcome: TLSConnection.Outcome) -> Outcome {
    switch outcome {
    case .bytes(let count): .bytes(count)
    case .wantsRead: .wants(.read)
    case .wantsWrite: .wants(.write)
    case .ended: .ended
    }
  }
}

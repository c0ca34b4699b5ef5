public import Linux

/// Why a connection is of no use any more.
public struct ChannelFailure: Error, Equatable, Sendable, CustomStringConvertible {
  public let description: String

  public init(_ description: String) { self.description = description }
  public init(_ error: SystemError) { self.init(error.description) }
}

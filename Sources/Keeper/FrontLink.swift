public import Linux

/// The keeper's end of a front's link; the worker has a copy of it, so that the front learns of the end
/// of both, and not of one.
public final class FrontLink {
  private let channel: MessageChannel
  public var number: Int32 { channel.number }

  public init(owning descriptor: consuming Descriptor) {
    channel = MessageChannel(owning: descriptor)
  }

  public enum News: Equatable {
    case signal(Int32)
    case nothing
    /// The front is gone.
    case ended
  }

  /// What the front has said; never blocks.
  public func next() -> News {
    while true {
      switch channel.receive() {
      case .nothing: return .nothing
      case .ended: return .ended
      case .message(let text, _, _):
        if case .signal(let number) = FrontWord(text) { return .signal(number) }
      }
    }
  }

  /// Has the front end with that status.
  public func sayEnd(_ status: Int32) { channel.send(KeeperWord.end(status).text) }
}

/// An input that a front has handed over, and the keeper's end of that front's link.
public final class HandedInput {
  public let input: Descriptor
  public let link: FrontLink

  public init(input: consuming Descriptor, link: FrontLink) {
    self.input = input
    self.link = link
  }
}

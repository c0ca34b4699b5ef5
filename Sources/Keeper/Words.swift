/// What a front says: first over a connection to `keeper.sock`, then over its link, of which it gives
/// the keeper the other end.
enum FrontWord: Equatable {
  /// It has an input to hand over. The layout's number is the first thing compared.
  case offer(Offer)
  /// With two descriptors: the input, and the link's other end.
  case input
  /// Over the link: a signal came.
  case signal(Int32)

  /// Changes with every change of what is said, in which order.
  private static let layout = "1"

  var text: String {
    switch self {
    case .offer(let offer):
      (["offer", Self.layout, offer.version, "\(offer.device)", "\(offer.inode)"]
        + offer.arguments).joined(separator: "\0")
    case .input: "input"
    case .signal(let number): "signal\0\(number)"
    }
  }

  /// `nil`: of another layout, or nobody's of ours.
  init?(_ text: String) {
    let parts = text.split(separator: "\0", omittingEmptySubsequences: false).map(String.init)
    switch (parts[0], parts.count) {
    case ("offer", 5...) where parts[1] == Self.layout:
      guard let device = UInt64(parts[3]), let inode = UInt64(parts[4]) else { return nil }
      self = .offer(
        Offer(
          version: parts[2], device: device, inode: inode, arguments: Array(parts.dropFirst(5))))
    case ("input", 1): self = .input
    case ("signal", 2):
      guard let number = Int32(parts[1]) else { return nil }
      self = .signal(number)
    default: return nil
    }
  }
}

/// What a keeper says to a front.
enum KeeperWord: Equatable {
  case welcome
  /// It does not go on for that front: why.
  case no(String)
  /// The input is its own from here on: the worker reads it, or the next one does.
  case taken
  /// Over the link: the worker has ended of itself, and all is over.
  case end(Int32)

  var text: String {
    switch self {
    case .welcome: "welcome"
    case .no(let reason): "no\0\(reason)"
    case .taken: "taken"
    case .end(let status): "end\0\(status)"
    }
  }

  init?(_ text: String) {
    let parts = text.split(separator: "\0", maxSplits: 1, omittingEmptySubsequences: false)
    switch (parts[0], parts.count) {
    case ("welcome", 1): self = .welcome
    case ("no", 2): self = .no(String(parts[1]))
    case ("taken", 1): self = .taken
    case ("end", 2):
      guard let status = Int32(parts[1]) else { return nil }
      self = .end(status)
    default: return nil
    }
  }
}

import Linux

/// Which program a front is, by what a keeper decides whether it goes on for it: a worker of another
/// version, or with other arguments, is to be started anew.
public struct Offer: Equatable, Sendable {
  var version: String
  /// Of the executable: a file that was replaced is another one.
  var device: UInt64
  var inode: UInt64
  /// Without the program's name.
  var arguments: [String]

  init(version: String, device: UInt64, inode: UInt64, arguments: [String]) {
    self.version = version
    self.device = device
    self.inode = inode
    self.arguments = arguments
  }

  /// This process's own; `nil` where it cannot be known which file it executes.
  ///
  /// - Parameter arguments: without the program's name.
  public init?(ofThisProcess arguments: [String]) {
    guard let file = try? Files.status(of: "/proc/self/exe") else { return nil }
    self.init(
      version: Release.version, device: file.device, inode: file.inode, arguments: arguments)
  }

  /// Why a keeper that is this one does not go on for such a front; `nil`: it does.
  func objection(to other: Offer) -> String? {
    if version != other.version { return "it is version \(version)" }
    if device != other.device || inode != other.inode { return "its executable was replaced" }
    return arguments == other.arguments ? nil : "it was started with other arguments"
  }
}

public import Configuration
import Glibc
public import Linux

/// The configuration in force and what it resolved to: with it a successor goes on, whatever is on
/// disk by then.
public struct InForce: Codable, Equatable, Sendable {
  public var daemon: DaemonConfiguration
  var active: [PluginConfiguration]
  var inactive: [PluginConfiguration]
  /// What records that name no node are given as theirs.
  var node: String?

  /// - Parameter node: what the configuration's way to name the host comes to.
  public init(_ loaded: LoadedConfiguration, node: String?) {
    daemon = loaded.daemon
    active = loaded.plugins.filter(\.isActive)
    inactive = loaded.plugins.filter { !$0.isActive }
    self.node = node
  }

  init(
    daemon: DaemonConfiguration, active: [PluginConfiguration], inactive: [PluginConfiguration],
    node: String?
  ) {
    self.daemon = daemon
    self.active = active
    self.inactive = inactive
    self.node = node
  }

  /// Bytes of thousands of plugins.
  private static let limit = 64 << 20

  /// A file in memory that has it, for whoever outlives this process.
  func file() throws -> Descriptor {
    let file = try Descriptor.anonymousFile("audispatch configuration")
    try Transfer.writeAll(file.number, try TreeEncoder.tree(of: self).bytes)
    return file
  }

  /// What such a file has; throws when it is another program's.
  init(_ file: consuming Descriptor) throws {
    // The place in it is shared with whoever wrote it.
    lseek(file.number, 0, SEEK_SET)
    let bytes = try Transfer.contents(
      of: file, named: "the configuration in force", limit: Self.limit)
    self = try TreeDecoder.value(InForce.self, of: Tree(bytes))
  }
}

/// What a process finds of a predecessor that died, before it reads anything.
public struct Legacy {
  let keeper: KeeperLink?
  let service: ServiceManager?
  /// `nil`: there was none, or it cannot be used.
  public let inForce: InForce?
  /// Why what there was cannot be used.
  public let problem: String?

  public init(_ service: ServiceManager?) {
    self.service = service
    // The memory may be larger than a file may be.
    Signals.ignoreFailedWrites()
    keeper = KeeperLink.connect()
    guard
      let file = keeper?.takeInForce() ?? service?.takeInherited(ServiceLink.configuration)
    else {
      (inForce, problem) = (nil, nil)
      return
    }
    do {
      (inForce, problem) = (try InForce(file), nil)
    } catch {
      (inForce, problem) = (
        nil, "what was in force cannot be used (\(error)): it is read from disk"
      )
    }
  }
}

extension InForce {
  /// What is in force now, for a successor.
  init(_ base: Base) {
    self.init(
      daemon: base.settings.daemon,
      active: base.plugins.all.filter { !$0.lifecycle.isBeingRemoved }.map(\.configuration),
      inactive: base.settings.inactive, node: base.settings.node)
  }
}

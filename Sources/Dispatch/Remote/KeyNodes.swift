import Configuration

/// Which node the holder of a key is, as the configuration says it: two keys may be one host's, as while
/// one takes the place of the other.
struct KeyNodes {
  private var keys: [RemoteConfiguration.SharedKeyFile] = []
  private var nodes: [String: String] = [:]

  /// The node of an identity: what its key says, or the identity itself.
  ///
  /// - Parameter current: the keys that count now. That they are the same as the last time costs nothing
  ///   to see, as long as nobody has changed them.
  mutating func node(
    of identity: String, _ current: [RemoteConfiguration.SharedKeyFile]
  ) -> String {
    if current != keys {
      keys = current
      nodes = [:]
      for key in current { nodes[key.identity] = key.node }
    }
    return nodes[identity] ?? identity
  }
}

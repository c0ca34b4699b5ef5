import Linux

/// Hashes of executables that were read, at most as many as it may hold.
struct ExecutableHashes {
  /// What makes a file's content known to be the same: where the time of change is, nobody sets.
  struct Key: Hashable {
    var file: FileIdentity
    var size: Int64
    /// Of the inode, in nanoseconds.
    var changed: Int64
  }

  static let most = 1024
  private var hashes: [Key: [UInt8]] = [:]
  /// Two halves: the older one goes when the younger is full, and what is used of it stays.
  private var older: [Key: [UInt8]] = [:]

  var count: Int { hashes.count + older.count }

  subscript(_ key: Key) -> [UInt8]? {
    mutating get {
      if let known = hashes[key] { return known }
      guard let known = older.removeValue(forKey: key) else { return nil }
      add(key, known)
      return known
    }
  }

  mutating func add(_ key: Key, _ hash: [UInt8]) {
    if hashes.count >= Self.most / 2 {
      older = hashes
      hashes.removeAll(keepingCapacity: true)
    }
    hashes[key] = hash
  }
}

import Linux

/// Lines for people on standard error.
enum Report {
  /// Writes one line; one that cannot be written is left.
  static func say(_ line: String) {
    try? Transfer.writeAll(2, Array("\(line)\n".utf8))
  }
}

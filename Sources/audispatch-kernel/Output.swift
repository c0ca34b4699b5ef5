import Linux

/// Standard output: the dispatcher's socket.
enum Output {
  /// Writes all bytes and empties the array; false when the reader is gone.
  static func write(_ bytes: inout [UInt8]) -> Bool {
    var done = 0
    while done < bytes.count {
      let result = unsafe bytes.withUnsafeBytes { all in
        unsafe Transfer.write(1, UnsafeRawBufferPointer(rebasing: all[done...]))
      }
      switch result {
      case .bytes(let count): done += count
      case .wouldBlock: _ = Poll.wait(1, for: .write, milliseconds: -1)
      case .failed(.brokenPipe): return false
      case .failed(let reason):
        Report.say("error: cannot write standard output: \(reason)")
        return false
      }
    }
    bytes.removeAll(keepingCapacity: true)
    return true
  }
}

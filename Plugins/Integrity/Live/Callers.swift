import Linux

/// Those who wake the plugin beside the stream, as one descriptor: the watch of files and what works on
/// threads of its own, by their bell; and the helper, when it has ended or is there again.
final class Callers {
  private let poller: Poller

  init(_ descriptors: [Int32]) throws(SystemError) {
    poller = try Poller()
    for number in descriptors { try poller.watch(number, UInt64(number), .read) }
  }

  /// Readable when one of them calls.
  var number: Int32 { poller.number }
}

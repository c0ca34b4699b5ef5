public import BulkIndexing
import Linux

/// Brings what no server takes into a file, or nowhere.
public struct RefusedOutlet: Sendable {
  /// Bytes of documents that the disk gets together: each time that it must have them takes long.
  private static let share = 1 << 20

  private let path: String?
  private var failures = 0
  /// Documents that went nowhere, because there is no file for them.
  public private(set) var discarded: Int

  /// - Parameter predecessor: that of other settings, whose count goes on.
  public init(path: String?, after predecessor: RefusedOutlet?) {
    self.path = path
    discarded = predecessor?.discarded ?? 0
  }

  /// What becomes of such a document, in words.
  public var place: String { path.map { "goes to \($0)" } ?? "is dropped" }

  /// Writes what is refused, as long as the disk takes it: nothing is lost when it does not.
  ///
  /// - Returns: why it was not taken.
  public mutating func write<Token>(
    from queue: inout BulkQueue<Token>, at now: Duration
  ) -> String? {
    while true {
      let refused = queue.nextRefused(Self.share, at: now)
      if refused.isEmpty { return nil }
      do throws(SystemError) {
        if let path {
          let lines = refused.flatMap { place, type, reason in
            BulkBody.refused(queue[place], type: type, reason: reason)
          }
          try RefusedFile(path: path).append(lines)
        } else {
          discarded += refused.count
        }
        failures = 0
        for document in refused { queue.refusedIsDone(document.place) }
      } catch {
        failures += 1
        let delay = queue.delay.next(failures: failures, chance: Double.random(in: 0...1))
        queue.refusedWait(until: now + delay)
        return "\(error)"
      }
    }
  }
}

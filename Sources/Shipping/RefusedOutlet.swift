public import BulkIndexing
import Linux

/// Brings what no server takes into a file, or nowhere.
public struct RefusedOutlet: Sendable {
  /// Bytes of documents that the disk gets together: each time that it must have them takes long.
  private static let share = 1 << 20

  private let file: RefusedFile
  private var failures = 0
  /// Documents that went nowhere, because there is no file for them.
  public private(set) var discarded: Int
  /// Documents that are gone with old files.
  public private(set) var removed: Int

  /// - Parameter predecessor: that of other settings, whose counts go on.
  public init(_ file: RefusedFile, after predecessor: RefusedOutlet?) {
    self.file = file
    discarded = predecessor?.discarded ?? 0
    removed = predecessor?.removed ?? 0
  }

  /// What becomes of such a document, in words.
  public var place: String { file.path.map { "goes to \($0)" } ?? "is dropped" }
  /// Documents that are nowhere any more.
  public var lost: Int { discarded + removed }

  public var figures: [(name: String, value: Int)] {
    [("discarded", discarded), ("refused_removed", removed)]
  }

  /// Writes what is refused, as long as the disk takes it: nothing is lost when it does not.
  ///
  /// - Returns: why it was not taken, and what is gone for it.
  public mutating func write<Token>(
    from queue: inout BulkQueue<Token>, at now: Duration
  ) -> [ShippingReport] {
    var reports: [ShippingReport] = []
    let file = file
    while true {
      let refused = queue.nextRefused(Self.share, at: now)
      if refused.isEmpty { return reports }
      do throws(SystemError) {
        if let path = file.path {
          let lines = refused.flatMap { place, type, reason in
            BulkBody.refused(queue[place], type: type, reason: reason)
          }
          try file.append(lines, to: path) { reports.append(note($0)) }
        } else {
          discarded += refused.count
        }
        failures = 0
        for document in refused { queue.refusedIsDone(document.place) }
      } catch {
        failures += 1
        let delay = queue.delay.next(failures: failures, chance: Double.random(in: 0...1))
        queue.refusedWait(until: now + delay)
        return reports + [.trouble("\(error)")]
      }
    }
  }

  private mutating func note(_ gone: RefusedFile.Removed) -> ShippingReport {
    // Of one that somebody has compressed nobody knows how many there were: one at least.
    removed += gone.documents ?? 1
    let what = gone.documents.map { counted($0, "refused document") } ?? "refused documents"
    return .note("\(what) are gone with \(gone.path), the oldest of \(file.count) files")
  }
}

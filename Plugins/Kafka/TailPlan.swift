import Shipping

/// Which messages of a partition may be those that a process before this one stored and did not hear
/// of.
///
/// Those are the last of its node. Where only this host writes into the partition, that is all there
/// is to know; where others write too, those count that are as old as the oldest event in question.
struct TailPlan: Equatable {
  let range: Range<Int64>
  /// Whether more of them would have to be read than are.
  let isCut: Bool

  /// So many are read at most.
  static let mostRead = Int64(10 * mostDoubtful)
  /// A broker may go by its own clock, which may be so far ahead of the node's.
  static let margin: UInt64 = 600_000

  /// - Parameters:
  ///   - since: the first message that is as old as the oldest event in question; `nil` when all are
  ///     older.
  ///   - mostRead: how many are read at most.
  init(_ ends: PartitionEnds, since: Int64?, mostRead: Int64) {
    let wanted = max(ends.first, min(since ?? ends.next, ends.next - Int64(mostDoubtful)))
    let start = max(wanted, ends.next - mostRead)
    range = start..<max(start, ends.next)
    isCut = start > wanted
  }
}

/// A part of a topic.
struct TopicPart: Hashable, Sendable {
  let topic: String
  let partition: Int32
}

/// What was read at the ends of partitions, as far as it is remembered.
struct KnownTails: Sendable {
  /// What is in one.
  struct Tail: Equatable, Sendable {
    var ids: Set<[UInt8]>
    /// Ids of events of that time and later ones, in milliseconds since 1970.
    var since: UInt64
    /// Whether those are all that may be meant.
    var isWhole: Bool
  }

  private var tails: [TopicPart: Tail] = [:]
  private let most: Int

  /// - Parameter most: ids that are remembered, in all partitions.
  init(most: Int) { self.most = most }

  subscript(part: TopicPart) -> Tail? { tails[part] }

  /// Remembers a tail if there is room for it; one alone has room however long it is. What is
  /// remembered stays: partitions that are asked for in turn would push each other out.
  mutating func keep(_ tail: Tail, of part: TopicPart) {
    tails[part] = nil
    let kept = tails.values.reduce(0) { $0 + $1.ids.count }
    if tails.isEmpty || kept + tail.ids.count <= most { tails[part] = tail }
  }
}

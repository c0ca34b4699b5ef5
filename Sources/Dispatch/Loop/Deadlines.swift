import Linux

/// Who waits for moments: an owner, or some that are asked together.
enum Waiter: Int, CaseIterable {
  /// What is done once after the start.
  case start
  /// The runtime folder.
  case claim
  /// Children and queues of plugins, and what they print.
  case plugins
  case custody
  case durable
  case input
  /// What the next generation of auditd brings.
  case nextInputs
  /// Other hosts.
  case remote
  case distribution
  case control
  case overflows
  case stopping
  /// The service manager.
  case service
  /// All of them.
  case everybody
}

/// When each waiter is to be asked next: a value without clock.
///
/// A deadline that was taken as due is forgotten: whoever still waits states it again when asked. The
/// least of them is known at once.
struct Deadlines: Equatable {
  /// Those whose moment has come.
  struct Due: Equatable {
    fileprivate var bits: UInt16 = 0

    func contains(_ waiter: Waiter) -> Bool {
      bits & (1 << waiter.rawValue | 1 << Waiter.everybody.rawValue) != 0
    }
  }

  static let never = Moment(nanoseconds: .max)

  private var moments = [Moment](repeating: Self.never, count: Waiter.allCases.count)
  /// The first moment of all.
  private(set) var least = Self.never

  /// A waiter is to be asked at that moment at the latest.
  mutating func state(_ waiter: Waiter, _ moment: Moment) {
    guard moment < moments[waiter.rawValue] else { return }
    moments[waiter.rawValue] = moment
    if moment < least { least = moment }
  }

  /// Forgets the deadlines that have come.
  mutating func takeDue(_ now: Moment) -> Due {
    var due = Due()
    least = Self.never
    for waiter in Waiter.allCases {
      if moments[waiter.rawValue] <= now {
        moments[waiter.rawValue] = Self.never
        due.bits |= 1 << waiter.rawValue
      } else {
        least = min(least, moments[waiter.rawValue])
      }
    }
    return due
  }
}

import AudispatchPlugin
import BulkIndexing
import HTTPClient
import Linux
import Shipping

/// Brings what no index takes into the index for it, one request at a time; what that does not take
/// either is left to the file.
struct RefusedIndexing {
  typealias Queue = BulkQueue<DeliveryToken>

  private let options: ElasticOptions
  private var running: (number: UInt64, batch: Queue.Batch, server: Int)?

  init(_ options: ElasticOptions) { self.options = options }

  /// When there is something to send at the latest.
  func deadline(_ queue: Queue, _ hosts: HostChoice) -> Duration? {
    guard options.refusedIndex != nil, running == nil else { return nil }
    return queue.refusedIndexTime.map { max($0, hosts.earliest) }
  }

  /// The next request, which is then under way by that number.
  mutating func next(
    from queue: inout Queue, _ limits: Queue.Limits, _ hosts: inout HostChoice, number: UInt64
  ) -> HTTPRequest? {
    let now = MonotonicTime.now
    guard let index = options.refusedIndex, running == nil, hosts.isReady(at: now),
      let batch = queue.nextForRefusedIndex(limits, at: now)
    else { return nil }
    guard case .host(let server) = hosts.next(at: now) else {
      queue.giveBackRefused(batch, at: now)
      return nil
    }
    running = (number, batch, server)
    return Requests(options: options).refused(
      batch.places.map { queue[$0] }, in: index, on: server)
  }

  /// Whether an answer is to its request.
  func isWaiting(for number: UInt64) -> Bool { running?.number == number }

  /// Takes the answer; what is to be said of it.
  mutating func take(
    _ event: BatchTurn.Event, _ queue: inout Queue, _ hosts: inout HostChoice
  ) -> String? {
    guard let (_, batch, server) = running.take() else { return nil }
    let now = MonotonicTime.now
    let chance = Double.random(in: 0...1)
    let step = RefusedStep(
      event, count: batch.places.count, hasFile: options.refused.path != nil)
    switch step {
    case .fates(let fates):
      // Where none is done, the index may be the reason, or the host.
      if fates.contains(.done) { hosts.succeeded(server) }
      queue.settleRefused(batch, fates, at: now, chance: chance)
      return fates.lazy.compactMap(trouble).first
    case .later(let reason, let after):
      queue.giveBackRefused(batch, at: now)
      hosts.failed(server, at: now, options.patience.delay, chance: chance, asked: after)
      return "\(options.servers[server].text): \(reason)"
    case .split(let reason):
      hosts.succeeded(server)
      queue.splitRefused(batch, at: now)
      return batch.places.count == 1 ? trouble(.givenUp(reason: reason)) : nil
    }
  }

  private func trouble(_ fate: RefusedFate) -> String? {
    let index = options.refusedIndex ?? ""
    switch fate {
    case .done: return nil
    case .later(let reason): return "\(index) puts off what was refused: \(reason)"
    case .givenUp(let reason):
      return "\(index) does not take what was refused, and it "
        + (options.refused.path.map { "goes to \($0)" } ?? "is dropped") + ": \(reason)"
    }
  }

  /// What is under way may have been done, or not: it comes again.
  mutating func stop(_ queue: inout Queue) {
    guard let (_, batch, _) = running.take() else { return }
    queue.giveBackRefused(batch, at: MonotonicTime.now)
  }
}

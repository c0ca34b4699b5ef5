import Foundation
import Synchronization
import Testing

/// Lets a few cases run at a time, of all suites together: each starts daemons and plugins, and a
/// hundred of them at once on two processors would keep each other waiting for seconds.
struct InTurn: SuiteTrait, TestTrait, TestScoping {
  var isRecursive: Bool { true }

  @TaskLocal private static var turn: Turn?

  func provideScope(
    for test: Test, testCase: Test.Case?,
    performing body: @concurrent @Sendable () async throws -> Void
  ) async throws {
    let turn = await Turn()
    let start = ContinuousClock.now
    let result: Result<Void, any Error>
    do {
      try await Self.$turn.withValue(turn) { try await body() }
      result = .success(())
    } catch { result = .failure(error) }
    await turn.end()
    // The testing library's own time has the wait for the turn in it; Scripts/test reads this line.
    let seconds = String(format: "%.1f", (ContinuousClock.now - start) / .seconds(1))
    print("turn: \(seconds) s  \(test.displayName ?? test.name)")
    return try result.get()
  }

  /// Ends the case's turn, though the case goes on: it waits for something else that only one has.
  static func end() async { await turn?.end() }
}

extension Trait where Self == InTurn {
  static var inTurn: Self { InTurn() }
}

/// That of one case.
private final class Turn: Sendable {
  private let hasEnded = Atomic(false)

  init() async { await Turns.shared.take() }

  func end() async {
    if !hasEnded.exchange(true, ordering: .relaxed) { await Turns.shared.give() }
  }
}

private actor Turns {
  static let shared = Turns()

  private var free = 1 + 2 * ProcessInfo.processInfo.activeProcessorCount
  private var waiting: [CheckedContinuation<Void, Never>] = []

  func take() async {
    if free > 0 {
      free -= 1
    } else {
      await withCheckedContinuation { waiting.append($0) }
    }
  }

  func give() {
    if waiting.isEmpty {
      free += 1
    } else {
      waiting.removeFirst().resume()
    }
  }
}

// A build without tests has no library for them.
#if canImport(Testing)
  import Foundation
  public import Testing

  /// Runs what waits for processes on threads of its own: the library's own are as many as processors,
  /// and two that wait would hold up all other tests.
  public struct OnThreads: SuiteTrait, TestTrait, TestScoping {
    public var isRecursive: Bool { true }

    public func provideScope(
      for test: Test, testCase: Test.Case?,
      performing body: @concurrent @Sendable () async throws -> Void
    ) async throws {
      try await withTaskExecutorPreference(WaitingThreads.shared) { try await body() }
    }
  }

  extension Trait where Self == OnThreads {
    public static var onThreads: Self { OnThreads() }
  }

  /// More than there are processors, since most of them wait.
  private final class WaitingThreads: TaskExecutor {
    static let shared = WaitingThreads()

    private let threads = OperationQueue()

    init() {
      threads.maxConcurrentOperationCount = 2 * ProcessInfo.processInfo.activeProcessorCount
    }

    func enqueue(_ job: consuming ExecutorJob) {
      let job = UnownedJob(job)
      threads.addOperation { unsafe job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
  }
#endif

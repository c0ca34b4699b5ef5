import Foundation
import Testing
// What chance and programs are tried with, for every test of this folder.
@_exported import TestSupport

/// How much of the tests with injected faults is done: some of it always, all with `make faults`.
enum Faults {
  static let isFull = ProcessInfo.processInfo.environment["AUDISPATCH_FULL"] != nil

  /// What chance is made of; printed with each result, so that a run can be repeated.
  static let seed: UInt64 = {
    let given = ProcessInfo.processInfo.environment["AUDISPATCH_SEED"]
    return given.flatMap { UInt64($0) } ?? (isFull ? UInt64.random(in: 1...999_999) : 1)
  }()

  /// How often each system call was done, in the thread that did it most, by the lines that strace wrote.
  static func calls(in trace: [String]) -> [String: Int] {
    var counts: [String: [String: Int]] = [:]
    for line in trace {
      // "PID CALL(…"; short numbers of processes are padded.
      guard let space = line.firstIndex(of: " "), let end = line.firstIndex(of: "(") else {
        continue
      }
      let call = line[space..<end].drop { $0 == " " }
      guard call.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "_" }) else { continue }
      counts[String(call), default: [:]][String(line[..<space]), default: 0] += 1
    }
    return counts.mapValues { $0.values.max() ?? 0 }
  }

  /// Tries those faults in their order, some at a time, as long as there is time; and reports how often
  /// each outcome was.
  ///
  /// - Parameter all: how many there would be.
  static func sweep<Fault: Sendable>(
    _ faults: some Sequence<Fault>, of all: Int, _ what: String,
    _ outcome: @escaping @Sendable (Fault) async -> String
  ) async {
    let clock = ContinuousClock()
    let latest = clock.now + .seconds(isFull ? 3000 : 30)
    var ends: [String: Int] = [:]
    var rest = Array(faults)[...]
    while !rest.isEmpty, clock.now < latest {
      let some = rest.prefix(isFull ? 4 : 2)
      rest = rest.dropFirst(some.count)
      await withTaskGroup(of: String.self) { group in
        for fault in some { group.addTask { await outcome(fault) } }
        for await outcome in group { ends[outcome, default: 0] += 1 }
      }
    }
    let tried = ends.values.reduce(0, +)
    #expect(tried > 0)
    let list = ends.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
    report("\(tried) of \(all) \(what): \(list.joined(separator: ", "))")
  }

  /// One line of `make faults`.
  static func report(_ text: String) { print("faults: \(text) (seed \(seed))") }
}

extension Seeded {
  mutating func pause(_ milliseconds: ClosedRange<Int>) async throws {
    try await Task.sleep(for: .milliseconds(Int.random(in: milliseconds, using: &self)))
  }
}

/// The processes of a dispatcher: itself and those that it is made of, without its plugins.
func dispatcherProcesses(of pid: pid_t) -> [pid_t] {
  let children = String(
    decoding: contents("/proc/\(pid)/task/\(pid)/children"), as: UTF8.self)
  return [pid]
    + children.split(separator: " ").compactMap { pid_t($0) }.filter { child in
      String(decoding: contents("/proc/\(child)/comm"), as: UTF8.self) == "audispatchd\n"
    }.flatMap { dispatcherProcesses(of: $0) }
}

extension Audispatchd {
  /// Sends records all the time, some at once, until the task is cancelled.
  func feed(_ records: [String], at once: Int, every pause: Duration) -> Task<Void, any Error> {
    Task {
      var rest = records[...]
      while !rest.isEmpty, !Task.isCancelled {
        try await send(Array(rest.prefix(once)))
        rest = rest.dropFirst(once)
        try? await Task.sleep(for: pause)
      }
    }
  }
}

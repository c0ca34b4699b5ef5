import Foundation
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

import AudispatchPlugin
import Linux
import Shipping

extension StreamClient {
  /// One for a command.
  static func connected(_ options: NatsOptions) throws -> StreamClient {
    let client = try StreamClient(options)
    do throws(StreamFailure) {
      try client.open()
    } catch { throw CommandFailure(description: "cannot connect: \(error)") }
    return client
  }
}

/// `setup`: makes the stream, or sees to it that the one that is there serves.
struct SetUpStream {
  let options: NatsOptions

  func run() throws {
    let client = try StreamClient.connected(options)
    defer { client.close() }
    let subject = options.subject.wildcard(node: nil)
    let name = options.stream
    do {
      let plan = StreamPlan(
        found: try client.look(for: subject), wanted: options.wanted,
        given: Set(["max_age", "max_size", "replicas"].filter { options.places[$0] != nil }))
      switch plan {
      case .make:
        try client.make(options.wanted, for: subject)
        try Spoken.line("the stream \(name) is made, for \(subject)")
      case .keep(let notes):
        try Spoken.line("the stream \(name) is there, and stays as it is")
        for note in notes { try Spoken.line(note) }
      case .widen(let notes):
        try client.widen(to: options.wanted.window)
        try Spoken.line(
          "the stream \(name) is there; its window is \(options.wanted.window) from now on")
        for note in notes { try Spoken.line(note) }
      case .refuse(let reason):
        throw CommandFailure(description: "the stream \(name) is not set up: \(reason)")
      }
    } catch let failure as StreamFailure {
      throw CommandFailure(description: "cannot set up the stream \(name): \(failure)")
    }
  }
}

import Glibc
import Linux
import TestSupport
import Testing

/// What a run of the built `audispatchctl` asked, said and ended with.
struct ControlRun: Equatable {
  var request = ""
  var output = ""
  var errors = ""
  var status: Int32 = -1
}

/// Runs the built program against a socket on which this process plays the daemon.
enum FakeDaemon {
  static let program = BuiltProgram.path("audispatchctl")

  /// - Parameters:
  ///   - answer: what the daemon sends before it closes; `nil`: nobody listens.
  ///   - pieces: how many bytes the daemon sends at a time.
  static func run(
    _ arguments: [String], answer: [UInt8]?, pieces: Int = .max, folderFirst: Bool = false,
    environment: [String] = []
  ) throws -> ControlRun {
    let folder = try TestFolder.make()
    defer { TestFolder.remove(folder) }
    var listener: Descriptor?
    if answer != nil { listener = try UnixSocket.listen("\(folder)/control.sock", mode: 0o600) }
    let place =
      !Set(arguments).isDisjoint(with: ["--help", "--runtime-dir", "--spool-dir"])
      ? [] : ["--runtime-dir", folder]
    let child = try start(
      folderFirst ? place + arguments : arguments + place, in: folder, environment)
    var run = ControlRun()
    if let answer, let listener = listener.take() {
      run.request = try serve(listener, answer, pieces, until: child.pidfd)
    }
    let status = end(of: child)
    run.status = try #require(status)
    run.output = String(
      decoding: try Transfer.contents(of: "\(folder)/out", limit: 1 << 20), as: UTF8.self)
    run.errors = String(
      decoding: try Transfer.contents(of: "\(folder)/err", limit: 1 << 20), as: UTF8.self
    )
    .replacing(folder, with: "DIR")
    return run
  }

  private static func start(
    _ arguments: [String], in folder: String, _ environment: [String]
  ) throws -> ChildProcess {
    let input = try Descriptor.open("/dev/null", O_RDONLY)
    let output = try Descriptor.open("\(folder)/out", O_WRONLY | O_CREAT)
    let errors = try Descriptor.open("\(folder)/err", O_WRONLY | O_CREAT)
    return try ChildProcess(
      path: program, arguments: arguments, environment: environment, input: input.number,
      output: output.number, error: errors.number)
  }

  /// Takes one client, reads its line, answers and closes.
  private static func serve(
    _ listener: borrowing Descriptor, _ answer: [UInt8], _ pieces: Int, until pidfd: Int32
  ) throws -> String {
    let ready = Poll.readable([listener.number, pidfd], within: .seconds(20))
    guard ready[0], let client = UnixSocket.accept(listener.number) else { return "" }
    client.setNonblocking(false)
    var request: [UInt8] = []
    while !request.contains(0x0a) {
      var chunk = [UInt8](repeating: 0, count: 256)
      guard Poll.readable([client.number], within: .seconds(20))[0] else { break }
      let result = unsafe chunk.withUnsafeMutableBytes {
        unsafe Transfer.read(client.number, into: $0)
      }
      guard case .bytes(let count) = result else { break }
      request += chunk[..<count]
    }
    var rest = answer[...]
    while !rest.isEmpty {
      try Transfer.writeAll(client.number, Array(rest.prefix(pieces)))
      rest = rest.dropFirst(pieces)
    }
    return String(decoding: request, as: UTF8.self)
  }

  private static func end(of child: borrowing ChildProcess) -> Int32? {
    guard Poll.readable([child.pidfd], within: .seconds(20))[0] else {
      child.signal(SIGKILL)
      _ = Poll.readable([child.pidfd], within: .seconds(20))
      _ = child.reap()
      return nil
    }
    guard case .exit(let status) = child.reap() else { return nil }
    return status
  }
}

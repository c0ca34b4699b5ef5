import Glibc
public import Linux

/// A command run to its end, with what it wrote.
public struct CommandRun: Sendable {
  public let end: ChildEnd?
  public let output: String
  public let error: String

  public init(_ command: String..., input: String = "/dev/null") throws {
    try self.init(command, input: input)
  }

  public init(_ command: [String], input: String = "/dev/null") throws {
    let folder = try TestFolder.make()
    defer { TestFolder.remove(folder) }
    let flags = O_WRONLY | O_CREAT | O_TRUNC
    let output = try Descriptor.open("\(folder)/out", flags)
    let errors = try Descriptor.open("\(folder)/err", flags)
    let source = try Descriptor.open(input, O_RDONLY)
    let child = try ChildProcess(
      path: command[0], arguments: Array(command.dropFirst()),
      environment: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"], input: source.number,
      output: output.number, error: errors.number)
    if !Poll.readable([child.pidfd], within: .seconds(60))[0] { child.signal(SIGKILL) }
    _ = Poll.readable([child.pidfd], within: .seconds(20))
    end = child.reap()
    self.output = String(
      decoding: try Transfer.contents(of: "\(folder)/out", limit: 64 << 20), as: UTF8.self)
    error = String(
      decoding: try Transfer.contents(of: "\(folder)/err", limit: 1 << 20), as: UTF8.self)
  }
}

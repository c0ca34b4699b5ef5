public import Linux
import Glibc

/// A built plugin at work: its input is a socket, as under auditd and audispatchd.
public final class PluginRun {
  /// A folder of its own, which arguments call `DIR`; gone when the run is.
  public let folder: String
  private let ownsFolder: Bool
  private let child: ChildProcess
  private var input: Descriptor?
  private var said = ""

  /// The folder in which the package's programs are built, beside the tests.
  public static var products: String { BuiltProgram.folder }

  /// Makes an empty folder that only its owner may write to.
  public static func makeFolder() throws -> String { try TestFolder.make() }

  /// Removes a folder and all in it, but nothing on another file system.
  public static func remove(_ folder: String) { TestFolder.remove(folder) }

  /// - Parameters:
  ///   - program: a name of the package's programs, or an absolute path.
  ///   - prefix: a program with its arguments that executes it.
  ///   - ignoring: signals that it finds ignored, as under auditd: `HUP TERM`.
  ///   - first: `AUDISPATCH_FIRST`, which asks for confirming.
  ///   - file: its standard input, instead of the socket; nobody feeds it then.
  ///   - folder: of a run before, instead of a new one; it stays there unless this run is its
  ///     owner.
  public init(
    _ program: String, _ arguments: [String], prefix given: [String] = [], ignoring: String = "",
    first: Int? = nil, environment: [String] = ["AUDISPATCH_PLUGIN=test"],
    file: String? = nil, folder other: String? = nil,
    isOwner: Bool = false
  ) throws {
    let folder = try other ?? Self.makeFolder()
    self.folder = folder
    ownsFolder = other == nil || isOwner
    let prefix =
      ignoring.isEmpty
      ? given : ["/bin/sh", "-c", "trap '' \(ignoring); exec \"$@\"", "x"] + given
    let ends = try UnixSocket.pair()
    input = Optional(consume ends.ours)
    var standardInput = ends.theirs
    if let file {
      standardInput = try Descriptor.open(file.replacing("DIR", with: folder), O_RDONLY)
    }
    let flags = O_WRONLY | O_CREAT | O_APPEND
    let output = try Descriptor.open("\(folder)/out", flags)
    let errors = try Descriptor.open("\(folder)/err", flags)
    let command =
      prefix.map { $0.replacing("DIR", with: folder) } + [
        program.hasPrefix("/") ? program : BuiltProgram.path(program)
      ]
      + arguments.map { $0.replacing("DIR", with: folder) }
    child = try ChildProcess(
      path: command[0], arguments: Array(command.dropFirst()),
      environment: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"] + (file == nil ? environment : [])
        + (first.map { ["AUDISPATCH_FIRST=\($0)"] } ?? []),
      input: standardInput.number, output: output.number, error: errors.number)
  }

  public var pid: Int32 { child.pid }

  public func write(_ bytes: [UInt8]) throws {
    guard let number = input.numberIfOpen else { return }
    try Transfer.writeAll(number, bytes)
  }

  /// Writes records, a line each.
  public func send(_ lines: [String]) throws {
    try write(lines.flatMap { Array(($0 + "\n").utf8) })
  }

  /// Writes what is taken without waiting; returns how many bytes.
  public func writeWhatIsTaken(_ bytes: [UInt8]) -> Int {
    guard let number = input.numberIfOpen else { return 0 }
    var done = 0
    while done < bytes.count {
      let result = unsafe bytes.withUnsafeBytes {
        unsafe UnixSocket.send(number, UnsafeRawBufferPointer(rebasing: $0[done...]))
      }
      guard case .bytes(let count) = result else { break }
      done += count
    }
    return done
  }

  public func put(_ text: String, in name: String, mode: UInt32 = 0o600) throws {
    try TestFolder.write(text, to: "\(folder)/\(name)", mode: mode)
  }

  public func signal(_ number: Int32) { child.signal(number) }

  /// What it wrote on its standard input; waits, at most 30 s, until that ends with `text`.
  public func said(until text: String) -> String {
    _ = eventually {
      _ = confirmed
      return said.hasSuffix(text)
    }
    return said
  }

  /// Waits until that holds, at most 30 s.
  public func eventually(_ condition: () -> Bool) -> Bool {
    for _ in 0..<3000 {
      if condition() { return true }
      Pause.nanoseconds(10_000_000)
    }
    return condition()
  }

  /// Waits until a file in the folder holds that text.
  public func await(_ text: String, in file: String) -> Bool {
    eventually { contents(file).contains(text) }
  }

  /// A file that is not there is empty.
  public func contents(_ file: String) -> String {
    let bytes = try? Transfer.contents(of: "\(folder)/\(file)", limit: 64 << 20)
    return String(decoding: bytes ?? [], as: UTF8.self)
  }

  public func lines(_ file: String) -> [String] {
    contents(file).split(separator: "\n").map(String.init)
  }

  /// What the program wrote on standard error.
  public var messages: String { contents("err") }

  /// Ends the input.
  public func close() { input = nil }

  /// Ends the input, but goes on listening.
  public func endInput() {
    if let number = input.numberIfOpen { _ = shutdown(number, Int32(SHUT_WR)) }
  }

  /// The number of the last `ok` that has come by now.
  public var confirmed: Int {
    guard let number = input.numberIfOpen else { return 0 }
    var bytes = [UInt8](repeating: 0, count: 4096)
    while Poll.readable([number], within: .zero)[0] {
      let result = unsafe bytes.withUnsafeMutableBytes { unsafe Transfer.read(number, into: $0) }
      guard case .bytes(let count) = result else { break }
      said += String(decoding: bytes[..<count], as: UTF8.self)
    }
    guard let end = said.lastIndex(of: "\n") else { return 0 }
    return said[..<end].split(separator: "\n").last.flatMap { Int($0.dropFirst(3)) } ?? 0
  }

  /// How the program ended, within 30 s.
  public func end() -> ChildEnd? {
    if !Poll.readable([child.pidfd], within: .seconds(30))[0] {
      child.signal(SIGKILL)
      _ = Poll.readable([child.pidfd], within: .seconds(20))
    }
    return child.reap()
  }

  deinit {
    child.signal(SIGKILL)
    if ownsFolder { Self.remove(folder) }
  }
}

extension Optional where Wrapped == Descriptor {
  fileprivate var numberIfOpen: Int32? {
    switch self {
    case .some(let descriptor): descriptor.number
    case .none: nil
    }
  }
}

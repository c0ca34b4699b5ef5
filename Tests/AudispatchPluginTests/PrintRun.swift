import Glibc
import Linux
import Testing

/// The built `audispatch-print` at work: its input is a socket, as under auditd.
final class PrintRun {
  let folder: String
  private let child: ChildProcess
  private var input: Descriptor?

  /// The folder in which the package's programs are built, beside the tests.
  static let products: String = {
    var path = [CChar](repeating: 0, count: 4096)
    let length = unsafe readlink("/proc/self/exe", &path, path.count - 1)
    let bytes = path.prefix(max(0, length)).map { UInt8(bitPattern: $0) }
    var folder = String(decoding: bytes, as: UTF8.self).split(separator: "/").dropLast()
    // `swift test` may run the tests from within a helper of the toolchain.
    if !folder.contains(".build") {
      let tests = CommandLine.arguments.first { $0.contains("/.build/") } ?? ""
      folder = tests.split(separator: "/").dropLast()
    }
    return "/" + folder.joined(separator: "/")
  }()

  /// - Parameter inherited: signals that the program finds ignored, as under auditd.
  /// - Parameter environment: beside a PATH.
  init(
    _ arguments: [String], inherited: String = "", environment: [String] = [],
    program: String = "\(products)/audispatch-print", files: [String: String] = [:]
  ) throws {
    var template = Array("/tmp/audispatch-test-XXXXXX\0".utf8).map { CChar(bitPattern: $0) }
    let made = unsafe template.withUnsafeMutableBufferPointer { buffer in
      unsafe mkdtemp(buffer.baseAddress!) != nil
    }
    guard made else { throw SystemError("create", "a folder", .current) }
    let folder = String(
      decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    self.folder = folder
    for (name, text) in files { try Self.put(text, in: "\(folder)/\(name)") }
    let (ours, theirs) = try UnixSocket.pair()
    input = Descriptor(owning: ours)
    let standardInput = Descriptor(owning: theirs)
    let output = try Descriptor.open("\(folder)/out", O_WRONLY | O_CREAT | O_APPEND)
    let errors = try Descriptor.open("\(folder)/err", O_WRONLY | O_CREAT | O_APPEND)
    let start = "trap '' \(inherited); exec \(program) \"$@\""
    child = try ChildProcess(
      path: "/bin/sh",
      arguments: ["-c", inherited.isEmpty ? String(start.dropFirst(9)) : start, "x"]
        + arguments.map { $0.replacing("DIR", with: folder) },
      environment: ["PATH=/usr/bin:/bin"] + environment, input: standardInput.number,
      output: output.number,
      error: errors.number)
  }

  func write(_ bytes: [UInt8]) throws {
    guard let number = input.numberIfOpen else { return }
    try Transfer.writeAll(number, bytes)
  }

  /// Gives a file in the run's folder that content.
  func put(_ text: String, in name: String) throws { try Self.put(text, in: "\(folder)/\(name)") }

  private static func put(_ text: String, in path: String) throws {
    let file = try Descriptor.open(path, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o600)
    try Transfer.writeAll(file.number, Array(text.utf8))
  }

  func signal(_ number: Int32) { child.signal(number) }

  /// Waits until a file in the run's folder holds that text.
  func await(_ text: String, in file: String) -> Bool {
    for _ in 0..<1000 {
      if contents(file).contains(text) { return true }
      Pause.nanoseconds(10_000_000)
    }
    return false
  }

  func contents(_ file: String) -> String {
    // A file that is not there yet is empty.
    let bytes = try? Transfer.contents(of: "\(folder)/\(file)", limit: 16 << 20)
    return String(decoding: bytes ?? [], as: UTF8.self)
  }

  /// Ends the input.
  func close() { input = nil }

  /// Ends the input, but goes on listening.
  func endInput() {
    if let number = input.numberIfOpen { _ = shutdown(number, Int32(SHUT_WR)) }
  }

  /// What the program wrote on its standard input; waits until that ends with `text`.
  func said(until text: String) -> String {
    guard let number = input.numberIfOpen else { return "" }
    var bytes = [UInt8](repeating: 0, count: 4096)
    for _ in 0..<1000 {
      if said.hasSuffix(text) { break }
      guard Poll.readable([number], within: .milliseconds(20))[0] else { continue }
      let result = unsafe bytes.withUnsafeMutableBytes { unsafe Transfer.read(number, into: $0) }
      guard case .bytes(let count) = result else { break }
      said += String(decoding: bytes[..<count], as: UTF8.self)
    }
    return said
  }

  private var said = ""

  /// How the program ended, within 20 s.
  func end() -> ChildEnd? {
    if !Poll.readable([child.pidfd], within: .seconds(20))[0] {
      child.signal(SIGKILL)
      _ = Poll.readable([child.pidfd], within: .seconds(20))
    }
    return child.reap()
  }

  deinit {
    child.signal(SIGKILL)
    for name in ["out", "err", "lines", "lines.1"] { unsafe unlink("\(folder)/\(name)") }
    unsafe rmdir(folder)
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

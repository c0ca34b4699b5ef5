import AudispatchPlugin
import AuditRecord
import Glibc
import Linux

/// Reads recorded logs: lines as auditd writes them, or binary records, also what gzip made of them.
struct AuditLogFiles {
  /// Why a log cannot be used, as a sentence.
  struct Failure: Error, CustomStringConvertible { let description: String }

  private let paths: [String]
  /// The node whose records count; `nil` takes those of the only one there is.
  private let node: [UInt8]?
  /// What is no record, over all files.
  private(set) var malformed = 0
  private(set) var records = 0

  init(_ paths: [String], node: String?) {
    self.paths = paths
    self.node = node.map { Array($0.utf8) }
  }

  /// Gives every event to `take`, the files in the order of their first records.
  mutating func read(_ take: (AuditEvent) -> Void) throws {
    var assembler = EventAssembler()
    var seen: Set<[UInt8]> = []
    let node = node
    // Logs are rotated between two records, perhaps in the midst of an event.
    for path in try inOrder() {
      let before = records
      try read(path) { line, header, type in
        assembler.append(line, header, type: type, at: .zero)
        while let event = assembler.next() { Self.hand(event, node, &seen, take) }
      }
      if records == before { throw Failure(description: "\(path) has no audit record") }
    }
    assembler.finish()
    while let event = assembler.next() { Self.hand(event, node, &seen, take) }
    if node == nil, seen.count > 1 {
      let names = seen.map { SafeText.word($0) }.sorted().prefix(4).joined(separator: ", ")
      throw Failure(
        description: "the logs have records of several nodes (\(names)): say which is this host "
          + "with --audit-node")
    }
    if let node, !seen.contains(node) {
      throw Failure(description: "the logs have no record of the node \(SafeText.word(node))")
    }
  }

  private static func hand(
    _ event: AuditEvent, _ node: [UInt8]?, _ seen: inout Set<[UInt8]>, _ take: (AuditEvent) -> Void
  ) {
    let name = event.node.map { Array(event.bytes[$0]) } ?? []
    // Of a shipping host there may be thousands; a few are enough to say so.
    if seen.count < 64 || name == node { seen.insert(name) }
    if node == nil || name == node { take(event) }
  }

  /// The logs by the time of their first record: a rotated one comes before the one that followed.
  private mutating func inOrder() throws -> [String] {
    var firsts: [(path: String, time: UInt64)] = []
    for path in paths {
      var first: UInt64?
      try read(path, upTo: 1) { _, header, _ in
        first = first ?? header.stamp.milliseconds
      }
      firsts.append((path, first ?? 0))
    }
    records = 0
    malformed = 0
    return firsts.sorted { ($0.time, $0.path) < ($1.time, $1.path) }.map(\.path)
  }

  private mutating func read(
    _ path: String, upTo limit: Int = .max, _ body: (Span<UInt8>, RecordHeader, RecordType) -> Void
  ) throws {
    let input = try LogInput(path)
    var stream = RecordStream()
    var ended = false
    while !ended, stream.records < limit {
      switch stream.fill(from: input.number) {
      case .bytes: break
      case .end: ended = true
      case .wouldBlock: throw SystemError("read", path, .again)
      case .failed(let errno): throw SystemError("read", path, errno)
      }
      while stream.records < limit, stream.next(ended: ended, body) {}
    }
    records += stream.records
    malformed += stream.malformedTotal
    if ended, let failure = input.failure() { throw Failure(description: "\(path): \(failure)") }
  }
}

/// A log that is open, through gzip(1) if it is compressed.
private struct LogInput: ~Copyable {
  private static let program = "/bin/gzip"
  private let source: Descriptor
  private let gzip: Unpacking?

  private final class Unpacking {
    let process: ChildProcess
    init(_ process: consuming ChildProcess) { self.process = process }
  }

  init(_ path: String) throws {
    let file = try Descriptor.open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY)
    guard try Files.status(of: file.number).kind == .regular else {
      throw AuditLogFiles.Failure(description: "\(path) is no regular file")
    }
    guard try file.bytes(at: 0, count: 2).elementsEqual([0x1f, 0x8b]) else {
      self.init(source: file, gzip: nil)
      return
    }
    let ends = try UnixSocket.pair()
    let source = ends.ours
    let output = ends.theirs
    let nowhere = try Descriptor.open("/dev/null", O_WRONLY)
    let process = try ChildProcess(
      path: Self.program, arguments: ["-dc"], environment: [], input: file.number,
      output: output.number, error: nowhere.number)
    self.init(source: source, gzip: Unpacking(process))
  }

  private init(source: consuming Descriptor, gzip: Unpacking?) {
    self.source = source
    self.gzip = gzip
  }

  var number: Int32 { source.number }

  /// What is wrong with it, once it has come to its end.
  func failure() -> String? {
    guard let process = gzip else { return nil }
    _ = Poll.readable([process.process.pidfd], within: .seconds(10))
    let end = process.process.reap()
    return end == .exit(0) ? nil : "gzip cannot read it: \(end.map { "\($0)" } ?? "it goes on")"
  }
}

import Configuration
import Glibc
import Linux

/// A problem that keeps the dispatcher from starting: what, and what to do.
public struct SetupError: Error, CustomStringConvertible {
  public let description: String
  init(_ description: String) { self.description = description }
}

/// Opens the input that the configuration asks for, again and again where it can come back.
final class SourceSupply {
  enum Origin: Equatable {
    case standardInput
    case unixSocket(String)
    case kernel
    case files([String])
    /// Nothing on this host: other hosts alone send records.
    case peers
  }

  /// What the end of an input means.
  enum AfterEnd { case reconnect, nextFile, finished }

  let origin: Origin
  private let configuration: DaemonConfiguration
  private let node: String?
  private var remainingFiles: [String] = []
  private let helpers = SourceHelpers()
  /// What would unpack the file that was opened last, if it is packed as we cannot read it.
  private(set) var unpacker: String?
  private(set) var readers: KernelReaders?
  /// The file that is read, as it is or by a program that unpacks it.
  private var file: FileWatch?
  private var pause = DoublingPause(from: .milliseconds(100), to: .seconds(5))
  private var waitingReport = RateLimit(every: .seconds(60))
  /// A connection that was kept for us, to begin with.
  private var stored: Descriptor?
  private(set) var hasStored = false
  /// One that was kept was to somewhere else.
  private(set) var gaveUpConnection = false
  private(set) var isEnding = false
  private var connecting: Connecting?

  init(_ configuration: DaemonConfiguration, node: String?) throws(SetupError) {
    self.configuration = configuration
    self.node = node
    let sources = configuration.localSources
    let files = sources.compactMap {
      if case .file(let path) = $0 { path } else { nil as String? }
    }
    if !files.isEmpty {
      guard files.count == sources.count, configuration.remoteSources.isEmpty else {
        throw SetupError("a file as source goes with other files only")
      }
      origin = .files(files)
      remainingFiles = files
    } else if let first = sources.first {
      guard sources.count == 1 else {
        throw SetupError(
          "more than one source of this host: only file:PATH can be given more than once")
      }
      origin =
        switch first {
        case .standardInput: .standardInput
        case .unixSocket(let path): .unixSocket(path)
        case .kernel: .kernel
        case .file(let path): .files([path])
        case .tcp, .tls: .peers
        }
    } else if !configuration.remoteSources.isEmpty {
      origin = .peers
    } else {
      origin = try Self.choose()
    }
    if origin == .kernel { try Self.checkKernelAccess() }
  }

  /// Begins with this connection.
  func store(_ connection: consuming Descriptor) {
    stored = consume connection
    hasStored = true
  }

  /// A connection that was kept for us is to somewhere else.
  func giveUpStored() { gaveUpConnection = true }

  // MARK: What it is

  var kind: String {
    switch origin {
    case .standardInput: "stdin"
    case .unixSocket: "unix"
    case .kernel: "kernel"
    case .files: "file"
    case .peers: "peers"
    }
  }

  var description: String {
    switch origin {
    case .standardInput: "standard input"
    case .unixSocket(let path): path
    case .kernel: "the kernel"
    case .files(let paths): paths.count == 1 ? paths[0] : "\(paths.count) files"
    case .peers: "other hosts"
    }
  }

  /// As `description`, but of several files the one that is read.
  var fileDescription: String {
    guard case .files(let paths) = origin, !paths.isEmpty else { return description }
    return paths[max(0, paths.count - remainingFiles.count - 1)]
  }

  var canWait: Bool {
    switch origin {
    case .files: true
    case .standardInput: DescriptorKind.isRegularFile(0)
    case .unixSocket, .kernel, .peers: false
    }
  }

  /// Whether it is an auditd that writes to us.
  var isAuditd: Bool {
    switch origin {
    case .standardInput, .unixSocket: !canWait
    case .kernel, .files, .peers: false
    }
  }

  func makeSource(_ survivor: Survivor, _ predecessor: Predecessor?) -> Source {
    Source(
      kind: kind, canWait: canWait, framing: configuration.inputFraming, survivor: survivor,
      predecessor: predecessor, hasSameStream: origin == .standardInput || hasStored)
  }

  /// The standard error of the helpers, to be waited for.
  var helperOutputNumber: Int32? { helpers.outputNumber }
  /// A program between a file and us failed: what it was to give is not complete.
  var hasFailed: Bool { helpers.haveFailed }

  // MARK: Opening

  enum Opened: ~Copyable {
    case input(Descriptor)
    /// There is none left.
    case none
    /// It is being opened: that is to be looked at then.
    case later(Duration)
  }

  /// The next input.
  ///
  /// - Parameters:
  ///   - recordsSoFar: that came from all inputs.
  ///   - starter: of the kernel's reader.
  func open(recordsSoFar: UInt64, by starter: StarterLink) throws(SystemError) -> Opened {
    switch origin {
    case .unixSocket(let path): return try connect(path)
    case .standardInput: return .input(try openStandardInput())
    case .kernel: return .input(try openKernel(recordsSoFar, starter))
    case .peers: return .none
    case .files:
      guard !remainingFiles.isEmpty else { return .none }
      let path = remainingFiles.removeFirst()
      // Opening a FIFO would wait for somebody who writes to it.
      let file = try Descriptor.open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY)
      if DescriptorKind.isFolder(file.number) {
        throw SystemError("read", path, Errno(EISDIR))
      }
      return .input(try through(file, path))
    }
  }

  private func openStandardInput() throws(SystemError) -> Descriptor {
    if DescriptorKind.isFolder(0) {
      throw SystemError("read", "standard input", Errno(EISDIR))
    }
    let fd = dup(0)
    guard fd >= 0 else { throw SystemError("read", "standard input", .current) }
    _ = fcntl(fd, F_SETFD, FD_CLOEXEC)
    return canWait
      ? try through(Descriptor(owning: fd), "standard input") : Descriptor(owning: fd)
  }

  /// The path may lie on what hangs.
  private func connect(_ path: String) throws(SystemError) -> Opened {
    if let stored = stored.take() { return .input(stored) }
    guard let connecting else {
      connecting = try .begin(path)
      return .later(.milliseconds(1))
    }
    guard let result = connecting.take() else { return .later(connecting.patience) }
    self.connecting = nil
    let socket = Descriptor(owning: try result.get())
    pause.reset()
    return .input(socket)
  }

  /// What follows when the input has ended.
  ///
  /// - Parameter recordsSoFar: that came from all inputs.
  func afterEnd(recordsSoFar: UInt64) -> AfterEnd {
    // A reader that has read is no failed try: the next one is started soon again.
    if readers?.hasGiven(taken: recordsSoFar) ?? false { pause.reset() }
    _ = helpers.takeFailure()
    switch origin {
    case .standardInput: return .finished
    case .unixSocket, .kernel, .peers: return isEnding ? .finished : .reconnect
    case .files: return remainingFiles.isEmpty ? .finished : .nextFile
    }
  }

  /// How long to wait before the next try: it doubles up to five seconds.
  func nextDelay() -> Duration { pause.next() }

  /// What to say about a failed try, now and then.
  func waitingMessage(_ error: SystemError, _ now: Moment) -> String? {
    waitingReport.pass(now) == nil ? nil : "\(error); trying again"
  }

  // MARK: A file that is cut

  /// Whether the file itself is read, and not what a program makes of it.
  var readsFile: Bool { helpers.isEmpty }

  /// Remembers how far the file was read.
  func noteRead() { if readsFile { file?.note() } }

  /// Whether all is there that was in the file.
  func isFileWhole() -> Bool { file?.isIntact() ?? true }

  // MARK: Helpers

  private func openKernel(
    _ recordsSoFar: UInt64, _ starter: StarterLink
  ) throws(SystemError) -> Descriptor {
    if readers == nil { readers = try KernelReaders() }
    guard let readers else { preconditionFailure("just made") }
    let counters = try readers.begin(taken: recordsSoFar)
    return try helpers.startReader(
      Installed.kernelReader, kernelArguments, counters: counters, by: starter)
  }

  /// When a helper that is on its way is given up.
  var helperDeadline: Moment? { helpers.deadline }

  func giveUpHelper(by starter: StarterLink) { helpers.giveUp(by: starter) }

  /// Why the input that has ended never began, if that is so; once.
  func takeStartFailure() -> SystemError? { helpers.takeStartFailure() }

  private var kernelArguments: [String] {
    (configuration.logFormat == .raw ? ["--raw"] : []) + (node.map { ["--node", $0] } ?? [])
  }

  /// A file as it is, or through what unpacks it and what makes records of a netlink capture.
  private func through(
    _ file: consuming Descriptor, _ name: String
  ) throws(SystemError) -> Descriptor {
    var input = file
    self.file = FileWatch(input.number)
    var head = FileContent.head(of: input.number)
    if FileContent.isGzip(head) {
      input = try helpers.start("/bin/gzip", ["-dc"], input: input)
      head = FileContent.head(of: input.number)
    }
    unpacker = FileContent.unpacker(head)
    if FileContent.isNetlink(head) {
      input = try helpers.start(
        Installed.kernelReader, ["--capture"] + kernelArguments, input: input)
    }
    return input
  }

  /// What the helpers have to say.
  ///
  /// - Returns: whether more may follow.
  func readHelperOutput(_ now: Moment, _ say: (String) -> Void) -> Bool {
    helpers.readOutput(now, say)
  }

  /// Asks the kernel's reader to give what it has and to end.
  func endHelpers() {
    isEnding = true
    if origin == .kernel { helpers.askToEnd() }
  }

  /// Which of the programs between the input and us failed, to be asked when the input has ended;
  /// what it gave is not complete then.
  func helperFailure() -> String? { helpers.takeFailure() }
}

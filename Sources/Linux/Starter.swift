import CAudispatch
import Glibc

/// A small process that starts programs for this one, and what it is asked over.
///
/// Nothing here waits for a file system: what opens a program's paths, and executes it, is the child
/// alone, which is a child of this process from its first moment on. The starter ends when this process
/// does, or lets go of it.
public struct Starter: ~Copyable {
  private let channel: Descriptor
  private let process: ChildProcess

  /// Readable when there is an answer, or the starter has ended.
  public var number: Int32 { channel.number }
  public var pid: Int32 { process.pid }

  private init(_ channel: consuming Descriptor, _ process: consuming ChildProcess) {
    self.channel = channel
    self.process = process
  }

  /// A copy of this process, which should be small and have one thread. What is open here is closed
  /// there. Costs some 0.2 ms.
  public static func copy() throws(SystemError) -> Starter {
    let ends = try MessageChannel.pair()
    if let process = try ChildProcess.copy() { return Starter(ends.ours, process) }
    ad_serve_starts(ends.theirs.number)
  }

  /// The variable by which a process knows that it is one, and is asked at descriptor 3.
  private static let variable = "AUDISPATCH_STARTER"

  /// This program, executed anew: of a process that has grown no copy is made. Blocks until it runs.
  public static func execute() throws -> Starter {
    let ends = try MessageChannel.pair()
    let null = try Descriptor.open("/dev/null", O_RDWR)
    let process = try ChildProcess(
      path: "/proc/self/exe", name: "audispatchd", arguments: [],
      environment: ["\(variable)=1"], input: null.number, output: null.number,
      error: null.number, extra: ends.theirs.number)
    return Starter(ends.ours, process)
  }

  /// Goes on as a starter where this process was executed as one; else does nothing.
  public static func serveIfAsked() {
    guard Environment.value(variable) == "1", DescriptorKind.isSocket(3) else { return }
    keepMemoryPrivate()
    raiseDescriptorLimit()
    ad_serve_starts(3)
  }

  public enum Asked: Equatable, Sendable {
    case taken
    /// It has as much to do as it can note: after its next answer there may be room.
    case busy
    case failed(Errno)
  }

  /// Asks for a program with those descriptors as 0, 1, 2 and, if given, 3. Never blocks.
  ///
  /// - Parameter number: what the answer is called.
  /// - Parameter attempt: the child's end of its `StartAttempt`.
  public func ask(
    _ request: StartRequest, number: UInt64, input: Int32, output: Int32, error: Int32,
    extra: Int32 = -1, attempt: Int32
  ) -> Asked {
    let bytes = request.bytes(number: number)
    guard bytes.count <= Int(AD_START_MAX) else { return .failed(Errno(E2BIG)) }
    let result = PacketChannel.send(
      channel.number, bytes, [input, output, error, attempt] + (extra < 0 ? [] : [extra]))
    guard result != 0 else { return .taken }
    return errno == EAGAIN ? .busy : .failed(.current)
  }

  public enum Answer: ~Copyable {
    /// The child is there, and waits for `StartAttempt.go`.
    case child(number: UInt64, ChildProcess)
    case failed(number: UInt64, Errno)
    case nothing
    /// The starter is gone, and what it had not answered is not answered any more.
    case ended
  }

  /// The next answer. Never blocks.
  public func receive() -> Answer {
    var answer = ad_start_answer()
    var pidfd: Int32 = -1
    switch unsafe ad_start_answered(channel.number, &answer, &pidfd) {
    case 0: return .nothing
    case 1 where answer.pid > 0:
      if pidfd < 0 { pidfd = ad_pidfd_open(answer.pid) }
      return .child(number: answer.number, ChildProcess(pid: answer.pid, pidfd: pidfd))
    case 1: return .failed(number: answer.number, Errno(answer.error))
    default: return .ended
    }
  }

  /// Ends it if it has not ended, and waits for that, which takes a moment. Children that it had made
  /// and nobody has taken are ended, too.
  ///
  /// - Returns: how it had ended, if it had.
  public consuming func end() -> ChildEnd? {
    var end = process.reap()
    if end == nil { end = process.endNow() }
    while true {
      switch receive() {
      case .child(_, let child): child.endNow()
      case .failed: continue
      case .nothing: return end
      case .ended: return end
      }
    }
  }
}

/// One child on its way to its program.
public struct StartAttempt: ~Copyable {
  private let ourEnd: Descriptor
  private var childEnd: Descriptor?

  /// Readable when the program runs, or it is known why it does not.
  public var number: Int32 { ourEnd.number }
  /// What goes to the child with the request; -1 once it has.
  public var childNumber: Int32 {
    switch childEnd {
    case .some(let end): end.number
    case nil: -1
    }
  }

  public init() throws(SystemError) {
    let ends = try MessageChannel.pair()
    ourEnd = ends.ours
    childEnd = Optional(consume ends.theirs)
  }

  /// The child has its end: ours alone tells of it.
  public mutating func wasHandedOver() { childEnd = nil }

  /// Lets the child go on: it opens what it may use, and becomes the program. Without this it ends
  /// when the attempt does.
  public func go() { _ = ad_start_go(ourEnd.number) }

  /// Why a child could not become its program, and what it found where it could not be executed.
  public struct Failure: Sendable {
    public let error: SpawnError
    /// The file's first bytes; `nil`: they are not known.
    public let head: [UInt8]?
    /// The permission bits of the interpreter that those name.
    public let interpreter: Result<UInt32, Errno>

    /// Nothing more is known than the error.
    public init(_ error: SpawnError) {
      self.init(error: error, head: nil, interpreter: .success(0))
    }

    init(error: SpawnError, head: [UInt8]?, interpreter: Result<UInt32, Errno>) {
      self.error = error
      self.head = head
      self.interpreter = interpreter
    }
  }

  public enum Outcome: Sendable {
    case runs
    case failed(Failure)
  }

  /// `nil`: it is still on its way. That a child was killed before it was its program shows as its
  /// end, and not here. Never blocks.
  public func outcome(of request: StartRequest) -> Outcome? {
    var report = ad_start_report()
    return switch unsafe ad_start_reported(ourEnd.number, &report) {
    case 0: nil
    case 1: .failed(request.failure(report))
    default: .runs
    }
  }
}

import AudispatchPlugin
import Glibc
import Linux

/// The process that has the rights which the analyser has given up, seen from the analyser: it is
/// asked, and answers.
final class Helper {
  struct Reply: ~Copyable {
    let answer: HelperAnswer
    var file: Descriptor?
  }

  /// How long an answer is waited for: records wait meanwhile, in bounded memory.
  private static let patience = Duration.seconds(5)

  /// The canary's login uid, and as which user it flies: the one of that number, where this process
  /// may start others so.
  let login: UInt32
  let canaryUser: UInt32
  private let child: ChildProcess
  private let channel: PacketChannel
  private var buffer = [UInt8](repeating: 0, count: PacketChannel.limit)
  private var number: UInt32 = 0
  private var news: [HelperAnswer] = []
  private var silence = HelperSilence()
  /// It has ended; another one may begin.
  private(set) var isDown = false
  /// Nothing is left that could begin another one.
  private(set) var isGone = false

  /// Starts it with what this process may do; `nil` where that is nothing that it is for.
  static func start(_ options: IntegrityOptions) throws(SystemError) -> Helper? {
    let permitted = Capabilities.permitted
    guard !permitted.isDisjoint(with: [.administer, .auditControl]) else { return nil }
    // Else it gives up the rest itself.
    let mayBound = permitted.contains(.setBound)
    let kept = mayBound ? permitted.intersection(Rights.helper) : nil
    let login = options.canaryLogin
    if mayBound, permitted.isSuperset(of: [.setUser, .setGroup]) {
      do throws(SystemError) { return try Helper(login, as: login, kept) } catch {
        // The program may lie where only root may execute it.
        guard error.cause == .notAllowed else { throw error }
      }
    }
    return try Helper(login, as: nil, kept)
  }

  private init(
    _ login: UInt32, as user: UInt32?, _ kept: Capabilities?
  ) throws(SystemError) {
    self.login = login
    canaryUser = user ?? geteuid()
    var confinement = Confinement()
    confinement.noNewPrivileges = true
    confinement.limits.core = 0
    confinement.capabilities = kept
    confinement.user = user
    confinement.group = user
    let ends = try MessageChannel.pair()
    channel = PacketChannel(owning: ends.ours)
    let theirEnd = ends.theirs
    let null = try Descriptor.open("/dev/null", O_RDWR)
    do throws(SpawnError) {
      // It goes on being there when the program's file is replaced.
      child = try ChildProcess(
        path: "/proc/self/exe", name: "audispatch-integrity",
        arguments: [HelperProcess.word, String(login)], environment: [],
        input: null.number, output: null.number, error: 2, extra: theirEnd.number,
        confinement: confinement)
    } catch { throw SystemError("start the helper:", error.stage, error.cause) }
  }

  /// Asks, and waits for the answer for at most five seconds; not at all while it is known to be
  /// silent.
  ///
  /// - Parameter file: goes with the request.
  func ask(_ request: HelperRequest, with file: Int32? = nil) throws(SystemError) -> Reply {
    number = number == .max ? 1 : number + 1
    _ = receiveAll()
    if isDown || isGone { throw Self.failure(ECONNRESET) }
    if silence.holds(at: MonotonicTime.now) { throw Self.failure(ETIMEDOUT) }
    guard case .bytes = channel.send(request.packet(number).bytes, file.map { [$0] } ?? []) else {
      throw Self.failure(EAGAIN)
    }
    let end = MonotonicTime.now + Self.patience
    while true {
      if let reply = receiveAll() {
        if case .failed(let cause) = reply.answer { throw Self.failure(cause.number) }
        return reply
      }
      if isDown || isGone { throw Self.failure(ECONNRESET) }
      let left = end - MonotonicTime.now
      guard left > .zero else {
        silence.begin(at: MonotonicTime.now)
        throw Self.failure(ETIMEDOUT)
      }
      _ = Poll.wait(
        channel.number, for: .read, milliseconds: Int32(left / .milliseconds(1)) + 1)
    }
  }

  /// A descriptor of fanotify; `nil` where it cannot have one.
  func fanotify() -> Descriptor? {
    do throws(SystemError) {
      var reply = try ask(.watch)
      return reply.file.take()
    } catch { return nil }
  }

  /// Has that descriptor of fanotify tell of it; why it does not.
  func mark(_ path: FilePath, _ extent: HelperRequest.Extent, on watch: Int32) -> Errno? {
    do throws(SystemError) {
      _ = try ask(.mark(path, extent), with: watch)
      return nil
    } catch { return error.cause }
  }

  /// How the canary has landed in a root; `nil` while it flies, or where nobody can be asked.
  func landing(in root: FilePath) -> CanarySteps.End? {
    do throws(SystemError) {
      guard case .landed(let end) = try ask(.landed(root)).answer else { return nil }
      return end
    } catch { return nil }
  }

  /// How many records the kernel says that it has lost since the boot; `nil` where it cannot be asked.
  func losses() -> UInt32? {
    do throws(SystemError) {
      guard case .losses(let count) = try ask(.losses).answer else { return nil }
      return count
    } catch { return nil }
  }

  /// Readable when it says something unasked, or has ended.
  var descriptor: Int32 { channel.number }

  /// Something was said while an answer was waited for.
  var hasNews: Bool { !news.isEmpty }

  /// That it has ended, or is there again, since the last time. What it says at its beginning is none.
  func takeNews() -> [HelperAnswer] {
    // Answers that nobody waits for any more.
    while receiveAll() != nil {}
    defer { news = [] }
    return news
  }

  private static func failure(_ number: Int32) -> SystemError {
    SystemError("ask", "the helper", Errno(number))
  }

  /// Takes what is there, up to the answer that is waited for.
  private func receiveAll() -> Reply? {
    while true {
      switch channel.receive(into: &buffer) {
      case .nothing: return nil
      case .ended:
        if !isGone { news.append(.ended("and nothing is left that could start it again")) }
        isGone = true
        return nil
      case .packet(let count, let file, _):
        silence.end()
        guard let packet = HelperPacket(buffer[..<count]), let answer = HelperAnswer(packet) else {
          continue
        }
        switch answer {
        case .begun:
          if isDown { news.append(answer) }
          isDown = false
        case .ended:
          news.append(answer)
          isDown = true
        default:
          if packet.number == number { return Reply(answer: answer, file: file) }
        }
      }
    }
  }
}

/// That the helper hangs: after an answer that did not come it is not asked until it says anything, or a
/// minute has passed, since what waits for it holds up records. A value without a clock.
struct HelperSilence: Equatable {
  private static let longest = Duration.seconds(60)
  private var until = Duration.zero

  mutating func begin(at now: Duration) { until = now + Self.longest }

  mutating func end() { until = .zero }

  func holds(at now: Duration) -> Bool { now < until }
}

import AudispatchPlugin
import Glibc
import Linux

/// What is waited for, and until when.
struct Waiting {
  let descriptor: Int32
  let interest: Interest
  let until: Duration

  init(_ descriptor: Int32, _ interest: Interest, until: Duration) {
    self.descriptor = descriptor
    self.interest = interest
    self.until = until
  }
}

/// Where lines go. Never blocks, but for opening it.
protocol Destination: AnyObject {
  /// What messages call it.
  var name: String { get }
  /// What is waited for when it takes nothing now; `nil` where there is no waiting.
  var descriptor: Int32? { get }
  /// Opens it, or opens it again, or goes on with that: what that waits for, `nil` when it is open.
  /// Throws why that is not possible now.
  func open() throws(DestinationFailure) -> Waiting?
  /// Writes as much as it takes, whole lines but for the last.
  func write(_ bytes: ArraySlice<UInt8>) throws(DestinationFailure) -> Int
  /// Has what was written last, where it promises that.
  func sync() throws(DestinationFailure)
  /// Bytes of what was written that have not arrived. Throws where nothing can arrive any more.
  func missing() throws(DestinationFailure) -> Int
  func close()
}

struct DestinationFailure: Error, Equatable, CustomStringConvertible {
  let text: String
  /// Whether nothing can come of trying again.
  var isFinal = false

  var description: String { text }
}

/// A descriptor for as long as somebody has this.
final class Opened {
  let descriptor: Descriptor
  init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }
}

extension Destination {
  func sync() throws(DestinationFailure) {}
  func missing() throws(DestinationFailure) -> Int { 0 }
}

/// The plugin's own standard output.
final class StandardOutput: Destination {
  let name = "standard output"
  private let isSocket = DescriptorKind.isSocket(1)
  private let isFile = DescriptorKind.isRegularFile(1)
  var descriptor: Int32? { isFile ? nil : 1 }

  func open() -> Waiting? { nil }
  func close() {}

  func write(_ bytes: ArraySlice<UInt8>) throws(DestinationFailure) -> Int {
    // A pipe or terminal may be another's too, who does not expect it not to block: as much is
    // written as there is room for at least, when there is any.
    var bytes = bytes
    if !isSocket, !isFile {
      guard Poll.wait(1, for: .write, milliseconds: 0) else { return 0 }
      bytes = bytes.prefix(4096)
    }
    let result = unsafe bytes.withUnsafeBytes { bytes in
      unsafe isSocket ? UnixSocket.send(1, bytes) : Transfer.write(1, bytes)
    }
    switch result {
    case .bytes(let count): return count
    case .wouldBlock: return 0
    case .failed(let errno):
      throw DestinationFailure(text: "cannot write to standard output: \(errno)", isFinal: true)
    }
  }
}

/// A stream of a socket or of a program's standard input.
class StreamDestination: Destination {
  let name: String
  private var stream: Opened?
  var descriptor: Int32? { stream?.descriptor.number }

  init(name: String) { self.name = name }

  func connect() throws(DestinationFailure) -> Descriptor {
    preconditionFailure("a stream connects in its own way")
  }

  func open() throws(DestinationFailure) -> Waiting? {
    close()
    stream = Opened(try connect())
    return nil
  }

  /// Goes on with a stream that is there.
  func take(_ opened: Opened) { stream = opened }

  func missing() throws(DestinationFailure) -> Int { 0 }

  func write(_ bytes: ArraySlice<UInt8>) throws(DestinationFailure) -> Int {
    guard let number = descriptor else { return 0 }
    switch unsafe bytes.withUnsafeBytes({ unsafe UnixSocket.send(number, $0) }) {
    case .bytes(let count): return count
    case .wouldBlock: return 0
    case .failed(let errno): throw DestinationFailure(text: "lost \(name): \(errno)")
    }
  }

  func close() { stream = nil }
}

final class SocketDestination: StreamDestination {
  /// How long a host may leave what it was sent unacknowledged.
  private static let silence = Duration.seconds(120)
  private let place: SocketPlace
  /// The way to another host.
  private let connection: HostConnection?

  init(_ place: SocketPlace) {
    self.place = place
    connection =
      if case .tcp(let host, let port) = place { HostConnection(host, port) } else { nil }
    super.init(name: place.description)
  }

  override func open() throws(DestinationFailure) -> Waiting? {
    guard let connection else { return try super.open() }
    guard let opened = try connection.advance(MonotonicTime.now) else { return connection.waiting }
    SocketState.setStreamOptions(opened.descriptor.number, timeout: Self.silence)
    take(opened)
    return nil
  }

  override func close() {
    super.close()
    connection?.giveUp()
  }

  override func connect() throws(DestinationFailure) -> Descriptor {
    guard case .unix(let path) = place else {
      preconditionFailure("another host is not waited for")
    }
    do throws(SystemError) {
      return try UnixSocket.connect(path)
    } catch { throw DestinationFailure(text: "\(error)") }
  }

  /// What this system has taken for another host is nowhere else until that acknowledges it.
  override func missing() throws(DestinationFailure) -> Int {
    guard case .tcp = place, let number = descriptor else { return 0 }
    let count = SocketState.unacknowledged(number)
    // Behind an error the count says nothing.
    if let error = SocketState.error(number) {
      throw DestinationFailure(text: "lost \(name): \(error)")
    }
    return count
  }
}

/// A program that reads the documents on its standard input, which is a socket.
final class ProgramDestination: StreamDestination {
  private let command: [String]
  private var child: ChildProcess?

  init(_ command: [String]) {
    self.command = command
    super.init(name: command[0])
  }

  override func connect() throws(DestinationFailure) -> Descriptor {
    do throws(SystemError) {
      let ends = try UnixSocket.pair()
      let socket = ends.ours
      let other = ends.theirs
      socket.setNonblocking(true)
      do throws(SpawnError) {
        child = try ChildProcess(
          path: command[0], arguments: Array(command.dropFirst()),
          environment: ProcessEnvironment.all, input: other.number, output: 1, error: 2)
      } catch { throw SystemError("start", error.path, error.cause) }
      return socket
    } catch { throw DestinationFailure(text: "\(error)") }
  }

  /// The end of its input, a second to end by itself, then SIGTERM, and SIGKILL.
  override func close() {
    super.close()
    guard let running = child.take() else { return }
    for signal in [0, SIGTERM, SIGKILL] {
      if signal != 0 { running.signal(signal) }
      for _ in 0..<(signal == 0 ? 50 : 20) {
        if running.reap() != nil { return }
        usleep(20_000)
      }
    }
  }
}

/// What programs get as their environment: this one's, without what the dispatcher told it.
enum ProcessEnvironment {
  static var all: [String] {
    var found: [String] = []
    var entry = unsafe environ
    while let text = unsafe entry.pointee {
      let variable = unsafe String(cString: text)
      if !variable.hasPrefix("AUDISPATCH_") { found.append(variable) }
      unsafe entry += 1
    }
    return found
  }
}

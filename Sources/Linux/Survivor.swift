public import CAudispatch
import Glibc

/// Memory that outlives the process that dispatches, when a parent holds on to it: the ring of its
/// input, and what its successor has to know.
///
/// Input is numbered by its bytes from the beginning on; the ring shows any of the last `ringBytes`
/// in one piece. What the kernel did last, of the input and to each plugin, is stored by the kernel
/// itself, so that it is exact whenever the process was killed. The calls are `recvmmsg` and
/// `sendmmsg`, which store the length in their caller's memory before they return.
@safe
public final class Survivor {
  /// What comes in some seconds of much load: so long a disk may take for what is to be safe. Takes
  /// memory as far as it is used.
  public static let ringBytes = 64 << 20

  private let file: Descriptor
  private let memory: OpaquePointer
  private let ring: UnsafeMutablePointer<UInt8>
  /// Whether a parent holds on to it.
  public let isHeld: Bool

  /// Takes over memory from a parent, or begins with memory of its own.
  ///
  /// Touches no memory of the ring.
  public init(held: consuming Descriptor?) throws(SystemError) {
    let file: Descriptor
    if let held {
      isHeld = true
      file = held
    } else {
      isHeld = false
      file = try Descriptor.anonymousFile("audispatch")
    }
    var bytes: UnsafeMutablePointer<UInt8>?
    guard let memory = unsafe ad_survivor_map(file.number, Self.ringBytes, &bytes),
      let ring = unsafe bytes
    else {
      let cause = Errno.current
      throw SystemError("map", "the input's memory\(Self.sizeLimit(cause))", cause)
    }
    self.file = file
    unsafe self.memory = memory
    unsafe self.ring = ring
  }

  /// More memory that outlives this process with the rest, behind the ring; zeros at first. To be asked
  /// for once; it takes memory as far as it is used.
  public func extend(by count: Int) throws(SystemError) -> UnsafeMutableRawPointer {
    let start = ad_survivor_bytes() + Self.ringBytes
    if ad_grow(file.number, start + count) == 0,
      let memory = unsafe mmap(
        nil, count, PROT_READ | PROT_WRITE, MAP_SHARED, file.number, off_t(start)),
      unsafe memory != MAP_FAILED
    {
      return unsafe memory
    }
    let cause = Errno.current
    throw SystemError("map", "\(count) bytes of memory\(Self.sizeLimit(cause, and: count))", cause)
  }

  /// What to do about memory that is larger than a file may be.
  private static func sizeLimit(_ cause: Errno, and more: Int = 0) -> String {
    var limit = rlimit()
    guard cause.number == EFBIG,
      unsafe getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0
    else { return "" }
    let size = (ad_survivor_bytes() + ringBytes + more + (1 << 20) - 1) >> 20
    return
      " of \(size) MiB beyond the limit on file sizes, which is \(limit.rlim_cur) bytes "
      + "(ulimit -f, LimitFSIZE=)"
  }

  /// How many processes had it before this one.
  public var generation: UInt64 { unsafe ad_survivor_generation(memory) }

  /// Notes that this process takes over, and how far its predecessor had come.
  ///
  /// - Returns: how many processes in a row took over at the same place and died.
  public func enter(at place: UInt64) -> Int { Int(unsafe ad_survivor_enter(memory, place)) }

  // MARK: Input

  /// Bytes of the ring, in one piece.
  public func bytes(from start: UInt64, count: Int) -> UnsafeMutableRawBufferPointer {
    unsafe UnsafeMutableRawBufferPointer(
      start: ring + Int(start % UInt64(Self.ringBytes)), count: count)
  }

  /// Reads what there is, behind all that was read before; never waits.
  @inline(__always)
  public func receive(_ fd: Int32, isSocket: Bool, at end: UInt64, limit: Int) -> ReadResult {
    let place = unsafe bytes(from: end, count: limit)
    let n = retryingInterrupts {
      unsafe isHeld
        ? ad_survivor_receive(memory, fd, isSocket, end, place.baseAddress!, limit)
        : ad_read_now(fd, isSocket, place.baseAddress!, limit)
    }
    return ReadResult(count: n)
  }

  /// Behind the last byte that was read, by whomever.
  public var received: UInt64 { unsafe ad_survivor_received(memory, ring, Self.ringBytes) }

  /// Lets the input go on at a later byte; what is before that is needed no more.
  public func skip(to byte: UInt64) { unsafe ad_survivor_skip(memory, byte) }

  /// Gives memory of the ring back; what was in it is lost.
  public func release(from start: UInt64, to end: UInt64) {
    let place = unsafe bytes(from: start, count: Int(end - start))
    unsafe ad_survivor_release(place.baseAddress!, place.count)
  }

  /// Input before this byte is not in the ring.
  public var floor: UInt64 { unsafe ad_survivor_floor(memory) }

  // MARK: Output

  /// How far the stream to a plugin's process has come.
  public struct StreamPlace: Equatable, Sendable {
    public var bytes: UInt64
    /// Records of its queue that are whole in it.
    public var records: UInt64
    /// What is whole in it, with announcements and repetitions.
    public var things: UInt64
    /// Bytes of the next thing that are in it.
    public var rest: Int

    @inline(__always)
    public init(bytes: UInt64 = 0, records: UInt64 = 0, things: UInt64 = 0, rest: Int = 0) {
      self.bytes = bytes
      self.records = records
      self.things = things
      self.rest = rest
    }

    @inline(__always)
    fileprivate var kept: ad_stream_place {
      ad_stream_place(bytes: bytes, records: records, things: things, rest: UInt64(rest))
    }
  }

  /// So many things of a stream can be told apart by their places: those that are unread, and those
  /// that are offered.
  public static let tapeThings = Int(AD_TAPE)

  /// Where things of a plugin's stream are noted before they are sent: the thing with number `n` at
  /// `n % tapeThings`, as twice its bytes, plus one for a record of the queue.
  @inline(__always)
  public func tape(_ slot: Int) -> UnsafeMutablePointer<UInt16> {
    unsafe ad_survivor_tape(memory, Int32(slot))
  }

  /// Sends what a plugin's socket takes; all that is offered stands on the tape.
  ///
  /// - Parameter before: how far the stream had come.
  @inline(__always)
  public func send(
    _ slot: Int, _ fd: Int32, _ bytes: UnsafeRawBufferPointer, before: StreamPlace
  ) -> WriteResult {
    guard let start = bytes.baseAddress, bytes.count > 0 else { return .bytes(0) }
    var kept = before.kept
    let n = retryingInterrupts {
      unsafe ad_survivor_send(memory, Int32(slot), fd, start, bytes.count, &kept)
    }
    return WriteResult(count: n)
  }

  /// Notes how far a plugin's stream has come: after a write of which the kernel took a part.
  public func written(_ slot: Int, _ place: StreamPlace) {
    var kept = place.kept
    unsafe ad_survivor_written(memory, Int32(slot), &kept)
  }

  /// How far the stream to a plugin's process has come, whenever its dispatcher died: what the kernel
  /// took, by the sizes of what it was offered.
  public func sent(_ slot: Int) -> StreamPlace {
    let place = unsafe ad_survivor_sent(memory, Int32(slot))
    return StreamPlace(
      bytes: place.bytes, records: place.records, things: place.things, rest: Int(place.rest))
  }

  /// Records of the queue that are whole in the stream, and that a process had not read whole.
  ///
  /// - Parameter bytes: of the stream that it had not read.
  public func unreadRecords(_ slot: Int, bytes: UInt64) -> UInt64 {
    unsafe ad_survivor_unread(memory, Int32(slot), bytes)
  }

  /// A new process of a plugin: nothing was written to it. 0: there is none.
  public func beginChild(_ slot: Int, _ name: String, _ child: UInt64) {
    unsafe ad_survivor_begin_child(memory, Int32(slot), name, child)
  }

  public func child(_ slot: Int) -> UInt64 { unsafe ad_survivor_child(memory, Int32(slot)) }
  public func name(_ slot: Int) -> String {
    unsafe String(cString: ad_survivor_named(memory, Int32(slot)))
  }
  public func setName(_ slot: Int, _ name: String) {
    unsafe ad_survivor_name(memory, Int32(slot), name)
  }

  // MARK: Cells

  /// What was published last.
  public var last: UnsafePointer<ad_snapshot> { unsafe ad_survivor_last(memory) }

  /// What was published last of a plugin.
  public func last(_ slot: Int) -> UnsafePointer<ad_plugin_figures> {
    unsafe ad_survivor_last_plugin(memory, Int32(slot))
  }

  /// What is published next is to be written there, all of it.
  @inline(__always)
  public func next() -> UnsafeMutablePointer<ad_snapshot> { unsafe ad_survivor_next(memory) }

  /// What is published next of a plugin is to be written there, all of it. A plugin that this was not
  /// called for stays as it was published last.
  @inline(__always)
  public func next(_ slot: Int) -> UnsafeMutablePointer<ad_plugin_figures> {
    unsafe ad_survivor_next_plugin(memory, Int32(slot))
  }

  /// Publishes all that was written since the last time: a successor finds all of it, or nothing.
  @inline(__always)
  public func publish() { unsafe ad_survivor_publish(memory) }

  /// Plugins that there is room for.
  public static let maximumPlugins = Int(AD_PLUGINS_MAX)
  /// Longer names have no place in it.
  public static let maximumName = Int(AD_NAME_MAX) - 1
}

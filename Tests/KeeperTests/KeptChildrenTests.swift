import Glibc
import Linux
import Testing

@testable import Keeper

@Suite("Children that a keeper has for a dead worker")
struct KeptChildrenTests {
  /// A child with its socket, as a worker has one.
  private final class Child {
    let process: ChildProcess
    let ourEnd: Descriptor
    let childEnd: Descriptor

    /// - Parameter script: says a word when it has come so far.
    init(_ script: String) throws {
      let null = try Descriptor.open("/dev/null", O_RDWR)
      let pipe = try Pipe()
      let said = pipe.reading
      let output = pipe.writing
      let ends = try MessageChannel.pair()
      ourEnd = ends.ours
      childEnd = ends.theirs
      process = try ChildProcess(
        path: "/bin/sh", arguments: ["-c", script], environment: [], input: null.number,
        output: output.number, error: null.number)
      #expect(Poll.readable([said.number], within: .seconds(10))[0])
    }

    deinit { process.endNow(within: .seconds(10)) }

    func hasEnded(within patience: Duration) -> Bool {
      Poll.readable([process.pidfd], within: patience)[0]
    }
  }

  private static func at(_ milliseconds: Int64) -> Moment {
    Moment(nanoseconds: milliseconds * 1_000_000)
  }

  private func keep(_ child: Child, in children: inout KeptChildren) {
    children.keep(
      7, child.process.pid, ourEnd: Descriptor(owning: dup(child.ourEnd.number)),
      childEnd: Descriptor(owning: dup(child.childEnd.number)))
  }

  @Test(arguments: [
    ("echo; exec sleep 60", 2001, SIGTERM), ("trap '' TERM; echo; exec sleep 60", 5001, SIGKILL),
  ])
  func `are asked to end, then made to`(script: String, milliseconds: Int64, signal: Int32) throws {
    let child = try Child(script)
    let poller = try Poller()
    var children = KeptChildren()
    keep(child, in: &children)
    #expect(children.processes == [7: child.process.pid])
    // As long as its worker lives a child is left alone.
    children.tend(Self.at(0), poller) { _, _ in true }
    #expect(!children.awaitEnd)
    children.orphan(Self.at(0), poller, 1)
    #expect(children.awaitEnd)
    for moment in [0, milliseconds - 1] {
      children.tend(Self.at(moment), poller) { _, _ in true }
      #expect(!child.hasEnded(within: .milliseconds(50)))
    }
    children.tend(Self.at(milliseconds), poller) { _, _ in true }
    #expect(child.hasEnded(within: .seconds(10)))
    #expect(child.process.reap() == .signal(signal))
  }

  @Test func `have the end of their input when their worker dies`() throws {
    let child = try Child("echo; exec sleep 60")
    let poller = try Poller()
    var children = KeptChildren()
    keep(child, in: &children)
    #expect(!DescriptorKind.isReadable(child.childEnd.number))
    children.orphan(Self.at(0), poller, 1)
    #expect(DescriptorKind.isReadable(child.childEnd.number))
  }

  @Test func `that have ended are told of once to each worker that hears it`() throws {
    let child = try Child("echo")
    let poller = try Poller()
    var children = KeptChildren()
    keep(child, in: &children)
    #expect(child.hasEnded(within: .seconds(10)))
    children.orphan(Self.at(0), poller, 1)
    var told: [UInt64] = []
    for hears in [false, true, true] {
      children.tend(Self.at(0), poller) { id, _ in
        told.append(id)
        return hears
      }
    }
    #expect(told == [7, 7])
    #expect(!children.awaitEnd)
    children.tellAgain()
    children.tend(Self.at(0), poller) { id, _ in
      told.append(id)
      return true
    }
    #expect(told == [7, 7, 7])
    children.forget(7)
    #expect(children.processes.isEmpty)
  }

  @Test func `get each signal once`() {
    var end = OrphanEnd(since: Self.at(0))
    let signals = [0, 2000, 2001, 5000, 5001, 9000].map { end.signal(Self.at($0)) }
    #expect(signals == [nil, nil, SIGTERM, nil, SIGKILL, nil])
    var late = OrphanEnd(since: Self.at(0))
    #expect(late.signal(Self.at(60_000)) == SIGKILL)
    #expect(late.signal(Self.at(60_001)) == nil)
  }
}

import AudispatchPlugin
import CFileWatch
import Glibc
import Linux

/// Does what the analyser asks for. It keeps nothing between requests but canaries that fly, so that
/// nothing is lost with it.
struct HelperWorker {
  /// An answer, and what comes with it.
  struct Reply: ~Copyable {
    var answer: HelperAnswer
    var file: Descriptor?

    init(_ answer: HelperAnswer, _ file: consuming Descriptor? = nil) {
      self.answer = answer
      self.file = file
    }
  }

  private final class Flight {
    let root: FilePath
    let child: ChildProcess

    init(_ root: FilePath, _ child: consuming ChildProcess) {
      self.root = root
      self.child = child
    }
  }

  private let login: UInt32
  private var flights: [Flight] = []
  /// Those that were ended, until they are gone.
  private var fallen: [Flight] = []

  init(login: UInt32) { self.login = login }

  /// Until the analyser is gone; the exit status.
  mutating func run(_ channel: borrowing PacketChannel) -> Int32 {
    var buffer = [UInt8](repeating: 0, count: PacketChannel.limit)
    _ = channel.send(HelperAnswer.begun.packet(0).bytes)
    while true {
      _ = Poll.wait(channel.number, for: .read, milliseconds: -1)
      switch channel.receive(into: &buffer) {
      case .nothing: continue
      case .ended: return 0
      case .packet(let count, let file, _):
        guard let packet = HelperPacket(buffer[..<count]) else { continue }
        var reply = Reply(.failed(.invalidArgument))
        if let request = HelperRequest(packet) {
          reply = answer(request, file, channel.number)
        }
        let number = reply.file.take()?.release()
        // Who does not read is told nothing: it asks again.
        _ = channel.send(
          reply.answer.packet(packet.number).bytes, number.map { [$0] } ?? [])
        if let number { close(number) }
      }
    }
  }

  private mutating func answer(
    _ request: HelperRequest, _ file: consuming Descriptor?, _ channel: Int32
  ) -> Reply {
    var file = file
    switch request {
    case .watch:
      // Without it there would be one all the same, for folders alone, and not saying who it was.
      guard Capabilities.permitted.contains(.administer) else {
        return Reply(.failed(Errno(EPERM)))
      }
      let number = fw_fanotify()
      return number < 0 ? Reply(.failed(.current)) : Reply(.done, Descriptor(owning: number))
    case .mark(let path, let extent):
      guard let watch = file.take() else { return Reply(.failed(.invalidArgument)) }
      return Reply(Self.mark(path, extent, watch.number))
    case .rules: return Self.rules()
    case .add(let rule): return Reply(Self.add([rule], anew: false))
    case .renew(let rules): return Reply(Self.add(rules, anew: true))
    case .fly(let root): return Reply(fly(root, channel))
    case .landed(let root): return Reply(.landed(landed(root)))
    case .losses: return Reply(Self.losses())
    }
  }

  /// - Parameter anew: the kernel keeps the folder of a path as long as any rule names it, so all go first.
  private static func add(_ rules: [AuditRule], anew: Bool) -> HelperAnswer {
    do throws(SystemError) {
      let control = try AuditControl()
      // What is gone already is added all the same.
      if anew { for rule in rules { try? control.delete(rule) } }
      var failure: Errno?
      for rule in rules {
        do throws(Errno) { try control.add(rule) } catch { failure = failure ?? error }
      }
      return failure.map { .failed($0) } ?? .done
    } catch { return .failed(error.cause) }
  }

  private static func losses() -> HelperAnswer {
    do throws(SystemError) {
      let status = try AuditStatusSocket().status()
      // Records that it keeps for a daemon which does not come it counts as lost too.
      if status.daemon == 0, isAuditForced { return .failed(Errno(ENODATA)) }
      return .losses(status.lost)
    } catch { return .failed(error.cause) }
  }

  /// Whether the kernel was started with `audit=1`.
  private static let isAuditForced: Bool = {
    let line = (try? Transfer.contents(of: "/proc/cmdline", limit: 1 << 16)) ?? []
    return line.split { $0 == 0x20 || $0 == 0x0a }.contains {
      $0.elementsEqual("audit=1".utf8) || $0.elementsEqual("audit=on".utf8)
    }
  }()

  private static func mark(
    _ path: FilePath, _ extent: HelperRequest.Extent, _ watch: Int32
  ) -> HelperAnswer {
    let name = path.bytes + [0]
    let result = unsafe name.withUnsafeBytes { bytes in
      let name = unsafe bytes.baseAddress!.assumingMemoryBound(to: CChar.self)
      return switch extent {
      case .fileSystem: unsafe fw_mark_file_system(watch, name)
      case .folder: unsafe fw_mark_folder(watch, name)
      }
    }
    return result == 0 ? .done : .failed(.current)
  }

  private static func rules() -> Reply {
    do throws(SystemError) {
      let control = try AuditControl()
      let bytes = try control.ruleBytes()
      let file = try Descriptor.anonymousFile("audit rules")
      do throws(Errno) { try Transfer.writeAll(file.number, bytes) } catch {
        return Reply(.failed(error))
      }
      // The place in it is shared with whoever reads it.
      lseek(file.number, 0, SEEK_SET)
      return Reply(.rules(enabled: AuditControl.enabled), file)
    } catch { return Reply(.failed(error.cause)) }
  }

  private mutating func fly(_ root: FilePath, _ channel: Int32) -> HelperAnswer {
    // One that still flies will not come back.
    fallen.removeAll { $0.child.reap() != nil }
    if let index = flights.firstIndex(where: { $0.root == root }) {
      flights[index].child.signal(SIGKILL)
      fallen.append(flights.remove(at: index))
    }
    do throws(SystemError) {
      guard let child = try ChildProcess.copy() else {
        endWithParent()
        close(channel)
        exit(CanarySteps.run(in: root, login: login).rawValue)
      }
      flights.append(Flight(root, child))
      return .done
    } catch { return .failed(error.cause) }
  }

  /// How the one in a root has ended; `nil` while it flies.
  private mutating func landed(_ root: FilePath) -> CanarySteps.End? {
    guard let index = flights.firstIndex(where: { $0.root == root }) else { return .failed }
    guard let status = flights[index].child.reap() else { return nil }
    flights.remove(at: index)
    guard case .exit(let code) = status else { return .failed }
    return CanarySteps.End(rawValue: code) ?? .failed
  }
}

import AuditRecord
import Foundation
import Glibc
import Linux
import Testing

@Suite(
  "audispatch-kernel and the kernel's own messages", .serialized,
  .enabled(if: AuditedHost.isUsable, AuditedHost.why))
struct LiveKernel {
  /// The system-call records about `/bin/true`, by serial, and the serials that were ended.
  private func events(_ records: [BinaryRecord]) -> (begun: Set<UInt64>, whole: Set<UInt64>) {
    var begun: Set<UInt64> = []
    var ended: Set<UInt64> = []
    for record in records {
      guard let header = RecordHeader(record.payload.span) else { continue }
      if record.type == 1320 { ended.insert(header.stamp.serial) }
      let line = String(decoding: record.payload, as: UTF8.self)
      if record.type == 1300, line.contains(#"comm="true""#) { begun.insert(header.stamp.serial) }
    }
    return (begun, begun.intersection(ended))
  }

  private func start(_ options: String, in scratch: Scratch) async throws -> RunningScript {
    let process = try Program.start(
      "exec $KERNEL \(options) --counters-fd 3 3<>page > out 2> err", in: scratch.path)
    let isReady = try await eventually { scratch.isPublished("page") }
    try #require(isReady)
    return process
  }

  private func stop(_ process: RunningScript) async throws -> Int32 {
    process.terminate()
    return try await process.end()
  }

  /// Starts a script, and stops it when a sentence is in its messages; its exit status.
  private func run(
    _ script: String, in scratch: Scratch, untilItSays sentence: String
  ) async throws -> Int32 {
    try scratch.write("err", [])
    let process = try Program.start(script, in: scratch.path)
    let hasSaid = try await eventually {
      try scratch.text("err").contains(sentence) || !process.isRunning
    }
    #expect(hasSaid)
    return try await stop(process)
  }

  @Test func `gives every record of 500 execs, and ends in order on SIGTERM`() async throws {
    let scratch = try Scratch()
    let host = try await AuditedHost.take()
    let process = try await start("", in: scratch)
    try await host.execute(500)
    let status = try await stop(process)
    let counters = try #require(try scratch.counters("page"))
    let records = BinaryRecord.all(in: try scratch.bytes("out"))
    let lost = try host.lost
    #expect(status == 0)
    #expect(events(records).whole.count == 500)
    #expect(counters.written == UInt64(records.count))
    #expect(counters.received == counters.written)
    #expect(counters.kernelLost == UInt64(lost))
    #expect(counters.kernelAudit == 1)
    #expect(counters.receiveOverruns + counters.queueLost + counters.malformed == 0)
    try await host.release()
  }

  @Test func `drains the kernel while a name look-up hangs, and then gives everything`()
    async throws
  {
    let scratch = try Scratch()
    let host = try await AuditedHost.take()
    let built = try await Program.run(
      """
      cc -shared -fPIC -DHANG='"\(scratch.path)/hang"' -o libnss_hang.so.2 \
        "$CORPUS/../Live/nss_hang.c" && printf 'passwd: hang files\\ngroup: hang files\\n' > nsswitch.conf
      touch hang
      """, in: scratch.path)
    try #require(built == 0, "a C compiler is needed")
    let process = try Program.start(
      """
      exec unshare --mount bash -c 'mount --bind nsswitch.conf /etc/nsswitch.conf &&
        LD_LIBRARY_PATH=$PWD:$LD_LIBRARY_PATH exec $KERNEL --counters-fd 3 3<>page > out 2> err'
      """, in: scratch.path)
    defer { process.terminate() }
    let isReady = try await eventually { scratch.isPublished("page") }
    try #require(isReady)
    try await host.execute(3000)
    // Each exec has at least SYSCALL, EXECVE, PATH, PROCTITLE and EOE.
    let drained = try await eventually {
      (try scratch.counters("page")?.received ?? 0) >= 15_000
    }
    let hanging = try #require(try scratch.counters("page"))
    #expect(drained)
    // Some records of the beginning may need no names.
    #expect(hanging.written < 100)
    #expect(hanging.receiveOverruns + hanging.queueLost == 0)

    try FileManager.default.removeItem(atPath: scratch.file("hang"))
    let delivered = try await eventually {
      let counters = try scratch.counters("page")
      return (counters?.written ?? 0) >= hanging.received
    }
    #expect(delivered)
    let status = try await stop(process)
    let whole = events(BinaryRecord.all(in: try scratch.bytes("out"))).whole
    let lost = try host.lost
    #expect(status == 0)
    #expect(whole.count == 3000)
    #expect(lost == 0)
    try await host.release()
  }

  @Test func `counts exactly what its receive buffer could not hold`() async throws {
    let scratch = try Scratch()
    let host = try await AuditedHost.take()
    let other = try Program.start(
      "exec $KERNEL --raw --counters-fd 3 3<>other > all 2> /dev/null", in: scratch.path)
    let isHearing = try await eventually { scratch.isPublished("other") }
    try #require(isHearing)
    let process = try await start("--raw --receive-buffer 4096", in: scratch)
    kill(process.pid, SIGSTOP)
    try await host.execute(200)
    kill(process.pid, SIGCONT)
    let noticed = try await eventually {
      (try scratch.counters("page")?.receiveOverruns ?? 0) > 0
    }
    #expect(noticed)
    _ = try await stop(process)
    _ = try await stop(other)
    let counters = try #require(try scratch.counters("page"))
    // Both heard the execs; only the other one heard all. What came before and after is not exec.
    let all = BinaryRecord.all(in: try scratch.bytes("all"))
    let ours = BinaryRecord.all(in: try scratch.bytes("out"))
    let first = try #require(ours.first)
    let from = try #require(all.firstIndex(of: first))
    let last = try #require(ours.last)
    let to = try #require(all.lastIndex(of: last))
    let missed = all.count - from - ours.count
    let missedAtLeast = to - from + 1 - ours.count
    #expect((missedAtLeast...missed).contains(Int(counters.receiveOverruns)))
    #expect(missed >= 800)
    try await host.release()
  }

  @Test func `loses whole events, and counts them, when nobody reads its output`() async throws {
    let scratch = try Scratch()
    let host = try await AuditedHost.take()
    let process = try Program.start(
      """
      mkfifo pipe; exec 4<>pipe
      exec $KERNEL --queue-bytes 65536 --counters-fd 3 3<>page > pipe 2> err
      """, in: scratch.path)
    let isReady = try await eventually { scratch.isPublished("page") }
    try #require(isReady)
    try await host.execute(400)
    let reader = try Program.start("exec cat < pipe > out", in: scratch.path)
    let read = try await eventually {
      let counters = try scratch.counters("page")
      return counters.map { $0.written + $0.queueLost >= $0.received } ?? false
    }
    #expect(read)
    let status = try await stop(process)
    _ = try await reader.end()
    let counters = try #require(try scratch.counters("page"))
    let records = BinaryRecord.all(in: try scratch.bytes("out"))
    let (begun, whole) = events(records)
    #expect(status == 0)
    #expect(counters.queueLost > 0)
    #expect(UInt64(records.count) == counters.written)
    #expect(counters.received == counters.written + counters.queueLost)
    #expect(begun == whole)
    try await host.release()
  }

  @Test func `ends within its second when a look-up hangs for ever, and counts the rest`()
    async throws
  {
    let scratch = try Scratch()
    let host = try await AuditedHost.take()
    let process = try Program.start(
      """
      mkfifo pipe; exec 4<>pipe
      exec $KERNEL --counters-fd 3 3<>page > pipe 2> err
      """, in: scratch.path)
    let isReady = try await eventually { scratch.isPublished("page") }
    try #require(isReady)
    try await host.execute(300)
    let begin = ContinuousClock.now
    let status = try await stop(process)
    let took = ContinuousClock.now - begin
    let counters = try #require(try scratch.counters("page"))
    #expect(status == 0)
    #expect(took < .seconds(20), "it would hang for ever")
    #expect(counters.queueLost > 0)
    #expect(counters.received == counters.written + counters.queueLost)
    try await host.release()
  }

  @Test func `ends when its reader is gone, though the kernel is silent`() async throws {
    let scratch = try Scratch()
    let host = try await AuditedHost.take()
    let process = try Program.start(
      "$KERNEL --raw 2> err | sleep 0.2; exit ${PIPESTATUS[0]}", in: scratch.path)
    let ended = try await eventually { !process.isRunning }
    #expect(ended)
    #expect(process.terminationStatus == 1)
    try await host.release()
  }

  @Test(
    arguments: [
      ("-audit_read", 1, "error: reading the kernel's audit messages needs CAP_AUDIT_READ"),
      ("-audit_control", 0, "is not counted (needs CAP_AUDIT_CONTROL)"),
      ("-net_admin", 0, "without CAP_NET_ADMIN there is no larger receive buffer than"),
    ] as [(String, Int32, String)])
  func `says which capability is missing`(drop: String, exit: Int32, sentence: String) async throws
  {
    let scratch = try Scratch()
    let status = try await run(
      "exec setpriv --bounding-set \(drop) --inh-caps \(drop) $KERNEL 2> err", in: scratch,
      untilItSays: sentence)
    let said = try scratch.text("err")
    #expect(status == exit)
    #expect(said.contains(sentence))
  }

  @Test(
    arguments: [
      ("--net", 0, "to the initial network namespace only"),
      ("--user --map-root-user", 1, "counts only in the initial user namespace"),
    ] as [(String, Int32, String)])
  func `says that a container hears nothing`(space: String, exit: Int32, sentence: String)
    async throws
  {
    let scratch = try Scratch()
    let status = try await run(
      "exec unshare \(space) $KERNEL 2> err", in: scratch, untilItSays: sentence)
    let said = try scratch.text("err")
    #expect(status == exit)
    #expect(said.contains(sentence))
  }

  @Test func `says that audit is off`() async throws {
    let scratch = try Scratch()
    let host = try await AuditedHost.take()
    try #require(try await Program.run("auditctl -e 0 > /dev/null") == 0)
    let sentence = "warning: audit is disabled in the kernel, nothing comes until auditctl -e 1"
    _ = try await run("exec $KERNEL 2> err", in: scratch, untilItSays: sentence)
    let said = try scratch.text("err")
    #expect(said.contains(sentence))
    #expect(!said.contains("namespace"))
    try await host.release()
  }
}

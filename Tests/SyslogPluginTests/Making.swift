import AuditRecord
import Configuration
import Testing

@testable import AudispatchPlugin
@testable import SyslogSending
@testable import audispatch_syslog

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }
func text(_ bytes: some Sequence<UInt8>) -> String { String(decoding: Array(bytes), as: UTF8.self) }

/// What arguments make of the options; diagnostics that are errors come back as text.
func settled(_ arguments: String...) -> (options: SyslogOptions, errors: [String]) {
  settled(arguments)
}

func settled(_ arguments: [String]) -> (options: SyslogOptions, errors: [String]) {
  do throws(Diagnostic) {
    let line = try CommandLineSettings(arguments, SyslogOptions.keywords)
    let source = OptionSource<SyslogOptions>(line, usually: "/nowhere/syslog.conf", user: 0)
    let (options, diagnostics) = source.load()
    return (options, diagnostics.filter { $0.severity == .error }.map(\.description))
  } catch { return (SyslogOptions(), [error.description]) }
}

/// One event, of lines that are its records.
func event(_ lines: [[UInt8]]) throws -> AuditEvent {
  var assembler = EventAssembler()
  var types = TypeNames()
  for line in lines {
    let found = RecordHeader(line.span)
    let header = try #require(found)
    let type = RecordType(rawValue: types.number(of: line.span.extracting(header.typeName)))
    assembler.append(line.span, header, type: type, at: .zero)
  }
  assembler.finish()
  let event = assembler.next()
  return try #require(event)
}

/// Records in one batch.
func batch(_ lines: [[UInt8]]) throws -> RecordBatch {
  var batch = RecordBatch()
  var types = TypeNames()
  for line in lines {
    let found = RecordHeader(line.span)
    let header = try #require(found)
    let type = RecordType(rawValue: types.number(of: line.span.extracting(header.typeName)))
    batch.append(line.span, header, type, number: 0)
  }
  return batch
}

/// What a denied program start leaves, with an argument that every format must escape:
/// `a|b=\"`, a byte that is no UTF-8, and a newline.
enum Denied {
  static let stamp = "msg=audit(1763680803.855:724):"
  static let syscall =
    "node=web1 type=SYSCALL \(stamp) arch=c000003e syscall=59 success=no exit=-13 a0=1 pid=1985 "
    + "auid=1000 uid=0 tty=pts1 ses=3 comm=\"mkdir\" exe=\"/usr/bin/mkdir\" key=\"logins\""
    + "\u{1d}ARCH=x86_64 SYSCALL=execve AUID=\"alice\" UID=\"root\""
  static let execve =
    "node=web1 type=EXECVE \(stamp) argc=2 a0=\"mkdir\" a1=617C623D5C22FF0A"
  static let cwd = "node=web1 type=CWD \(stamp) cwd=\"/home/alice\""
  static let end = "node=web1 type=EOE \(stamp)"
  static let lines = [syscall, execve, cwd, end].map(bytes)
}

/// A writer for those arguments, on the host `here`.
func writer(_ arguments: String...) -> MessageWriter {
  do throws(Diagnostic) {
    let line = try CommandLineSettings(arguments, SyslogOptions.keywords)
    let (options, errors) = OptionSource<SyslogOptions>(
      line, usually: "/nowhere/syslog.conf", user: 0
    ).load()
    #expect(errors.isEmpty)
    return MessageWriter(options, host: "here", process: 7)
  } catch {
    Issue.record("\(error)")
    return MessageWriter(SyslogOptions(), host: "here", process: 7)
  }
}

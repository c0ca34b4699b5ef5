import AuditRecord

/// What is known of processes, as a file keeps it: one line each of words with blanks between them,
/// bytes that are no printable ASCII as `%NN`.
///
///     audispatch-processes 1
///     run RUN
///     label NAME
///     process NUMBER PARENT PID STARTED PPID SESSION ENDING EXEC NAME EXE ARGUMENTS SCRIPT
///             CONTAINER UNIT HASH LABELS IDENTITY [CUT]
///     login NUMBER ACCOUNT USER ADDRESS HOST TERMINAL PROGRAM BEGAN
///     end LINES
///
/// An empty word is `-`. The last line shows that the file is whole. Nothing is taken of a file that
/// has one wrong line.
public struct ProcessState {
  /// Why a file is not taken.
  public enum Refusal: Error, Equatable, Sendable, CustomStringConvertible {
    case notWhole
    case wrong(line: Int)
    /// The system was started anew since; what ran then does not any more.
    case otherRun

    public var description: String {
      switch self {
      case .notWhole: "is not whole"
      case .wrong(let line): "line \(line) is wrong"
      case .otherRun: "is of an earlier run of the system"
      }
    }
  }

  var run: [UInt8]
  var labels: [[UInt8]]
  var processes: [(number: ProcessNumber, process: KnownProcess)]
  var logins: [LoginSession]

  public var bytes: [UInt8] {
    var out = StateWriter()
    out.word("audispatch-processes")
    out.number(1)
    out.endLine()
    out.word("run")
    out.text(run)
    out.endLine()
    for label in labels {
      out.word("label")
      out.text(label)
      out.endLine()
    }
    for (number, process) in processes { out.process(number, process) }
    for login in logins { out.login(login) }
    out.word("end")
    out.number(UInt64(out.lines))
    out.endLine()
    return out.bytes
  }
}

extension ProcessState {
  /// Reads any bytes; throws why they are not taken. Complexity: O(bytes).
  public init(_ bytes: [UInt8]) throws(Refusal) {
    self.init(run: [], labels: [], processes: [], logins: [])
    let lines = bytes.dropLast().split(separator: 0x0a, omittingEmptySubsequences: false)
    guard bytes.last == 0x0a, lines.count >= 3 else { throw .notWhole }
    for (place, line) in lines.enumerated() {
      var reader = StateReader(line)
      do throws(StateReader.Fault) {
        try take(&reader, place, of: lines.count)
        try reader.finish()
      } catch { throw place == lines.count - 1 ? .notWhole : .wrong(line: place + 1) }
    }
  }

  private mutating func take(
    _ reader: inout StateReader, _ place: Int, of count: Int
  ) throws(StateReader.Fault) {
    let word = try reader.text()
    switch place {
    case 0:
      guard word.elementsEqual("audispatch-processes".utf8), try reader.number() == 1 else {
        throw StateReader.Fault()
      }
    case 1:
      guard word.elementsEqual("run".utf8) else { throw StateReader.Fault() }
      run = try reader.text()
    case count - 1:
      guard word.elementsEqual("end".utf8), try reader.number() == UInt64(count - 1) else {
        throw StateReader.Fault()
      }
    default:
      if word.elementsEqual("label".utf8), labels.count < LabelRules.most {
        labels.append(try reader.text())
      } else if word.elementsEqual("process".utf8) {
        processes.append(try reader.process(labels: labels.count))
      } else if word.elementsEqual("login".utf8) {
        logins.append(try reader.login())
      } else {
        throw StateReader.Fault()
      }
    }
  }
}

struct StateWriter {
  private(set) var bytes: [UInt8] = []
  private(set) var lines = 0

  private mutating func separate() {
    if let last = bytes.last, last != 0x0a { bytes.append(0x20) }
  }

  mutating func word(_ word: StaticString) {
    separate()
    unsafe bytes.append(
      contentsOf: UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount))
  }

  mutating func number(_ value: UInt64) {
    separate()
    bytes.append(contentsOf: String(value).utf8)
  }

  mutating func text(_ value: [UInt8]) {
    separate()
    if value.isEmpty { return bytes.append(0x2d) }
    let isDash = value.count == 1 && value[0] == 0x2d
    for byte in value {
      if byte > 0x20, byte < 0x7f, byte != 0x25, !isDash {
        bytes.append(byte)
      } else {
        bytes.append(0x25)
        for digit in [byte >> 4, byte & 15] {
          bytes.append(digit < 10 ? 0x30 + digit : 0x57 + digit)
        }
      }
    }
  }

  mutating func stamp(_ stamp: RecordStamp?) {
    number(stamp?.milliseconds ?? 0)
    number(stamp?.serial ?? 0)
  }

  mutating func endLine() {
    bytes.append(0x0a)
    lines += 1
  }

  mutating func process(_ place: ProcessNumber, _ process: KnownProcess) {
    word("process")
    number(place.value)
    number(process.parent?.value ?? 0)
    number(UInt64(UInt32(bitPattern: process.pid)))
    number(process.started)
    number(UInt64(UInt32(bitPattern: process.parentPid)))
    number(UInt64(UInt32(bitPattern: process.session)))
    number(UInt64(process.ending.rawValue))
    stamp(process.exec)
    for value in [process.name, process.executable, process.arguments, process.script] {
      text(value)
    }
    for value in [process.container, process.unit, process.hash] { text(value) }
    text(Array(process.labels.map { String($0) }.joined(separator: ",").utf8))
    text(process.identity)
    if process.argumentsCut > 0 { number(UInt64(process.argumentsCut)) }
    endLine()
  }

  mutating func login(_ login: LoginSession) {
    word("login")
    number(UInt64(login.number))
    text(login.account)
    text(login.user.map { Array(String($0).utf8) } ?? [])
    for value in [login.address, login.host, login.terminal, login.program] { text(value) }
    stamp(login.began)
    endLine()
  }
}

struct StateReader {
  struct Fault: Error {}

  private var words: [ArraySlice<UInt8>]
  private var at = 0

  init(_ line: ArraySlice<UInt8>) {
    words = line.split(separator: 0x20, maxSplits: 32, omittingEmptySubsequences: false)
  }

  func finish() throws(Fault) { guard at == words.count else { throw Fault() } }

  private mutating func next() throws(Fault) -> ArraySlice<UInt8> {
    guard at < words.count, !words[at].isEmpty else { throw Fault() }
    at += 1
    return words[at - 1]
  }

  mutating func number(upTo most: UInt64 = .max) throws(Fault) -> UInt64 {
    guard let number = UInt64(String(decoding: try next(), as: UTF8.self)), number <= most else {
      throw Fault()
    }
    return number
  }

  mutating func text() throws(Fault) -> [UInt8] {
    let word = try next()
    if word.elementsEqual([0x2d]) { return [] }
    var text: [UInt8] = []
    text.reserveCapacity(word.count)
    var at = word.startIndex
    while at < word.endIndex {
      let byte = word[at]
      guard byte == 0x25 else {
        guard byte > 0x20, byte < 0x7f else { throw Fault() }
        text.append(byte)
        at += 1
        continue
      }
      guard at + 2 < word.endIndex,
        let value = UInt8(String(decoding: word[(at + 1)...(at + 2)], as: UTF8.self), radix: 16)
      else { throw Fault() }
      text.append(value)
      at += 3
    }
    return text
  }

  private mutating func pid() throws(Fault) -> Int32 {
    Int32(bitPattern: UInt32(truncatingIfNeeded: try number(upTo: 0xffff_ffff)))
  }

  private mutating func stamp() throws(Fault) -> RecordStamp? {
    let milliseconds = try number()
    let serial = try number()
    return milliseconds == 0 ? nil : RecordStamp(milliseconds: milliseconds, serial: serial)
  }

  mutating func process(
    labels: Int
  ) throws(Fault) -> (number: ProcessNumber, process: KnownProcess) {
    let place = ProcessNumber(value: try number())
    let parent = try number()
    var process = KnownProcess(pid: try pid())
    process.parent = parent == 0 ? nil : ProcessNumber(value: parent)
    process.started = try number()
    process.parentPid = try pid()
    process.session = try pid()
    guard let ending = KnownProcess.Ending(rawValue: UInt8(try number(upTo: 255))) else {
      throw Fault()
    }
    process.ending = ending
    process.exec = try stamp()
    process.name = try text()
    process.executable = try text()
    let arguments = try text()
    process.script = try text()
    process.container = try text()
    process.unit = try text()
    process.hash = try text()
    process.labels = try text().split(separator: 0x2c).map { (word) throws(Fault) in
      guard let label = UInt16(String(decoding: word, as: UTF8.self)), Int(label) < labels else {
        throw Fault()
      }
      return label
    }
    process.identity = try text()
    let cut = at < words.count ? Int(try number(upTo: 1 << 40)) : 0
    guard let kept = KeptArguments(kept: arguments, cut: cut),
      [0, 32].contains(process.hash.count)
    else { throw Fault() }
    process.take(kept)
    return (place, process)
  }

  mutating func login() throws(Fault) -> LoginSession {
    var login = LoginSession(number: UInt32(try number(upTo: UInt64(UInt32.max))))
    login.account = try text()
    let user = try text()
    if !user.isEmpty {
      guard let number = UInt32(String(decoding: user, as: UTF8.self)) else { throw Fault() }
      login.user = number
    }
    login.address = try text()
    login.host = try text()
    login.terminal = try text()
    login.program = try text()
    login.began = try stamp()
    return login
  }
}

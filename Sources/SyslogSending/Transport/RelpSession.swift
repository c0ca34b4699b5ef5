import Linux
import AudispatchPlugin

/// The client's side of RELP (rsyslog's Reliable Event Logging Protocol, version 0): bytes in,
/// bytes out.
///
/// A frame is `TXNR SP COMMAND SP LENGTH [SP DATA] LF`. The session is opened with offers, each
/// message is a `syslog` frame, and each is answered by a `rsp` with its number once the server
/// has taken responsibility for it. A session that ends says `close`; a server that ends,
/// `serverclose`.
struct RelpSession {
  enum State: Equatable { case new, opening, open, closing, closed }

  struct Violation: Error, Equatable, CustomStringConvertible {
    let description: String
    /// Messages that the server had taken before, and nothing has said yet.
    var done = 0
    /// Which message the server refused, counted from the first that is not done then.
    var refused: Int?

    init(_ description: String) { self.description = description }
  }

  private(set) var state = State.new
  private var number = 0
  /// Which of the messages that are on their way, oldest first, were answered.
  private var answered: [Bool] = []
  // Of `answered`, those before it are done.
  private var first = 0
  private var firstNumber = 0
  private var input: [UInt8] = []

  /// No answer is longer; offers are some hundred bytes.
  private static let longestAnswer = 64 << 10
  private static let lastNumber = 999_999_999

  /// Messages on their way.
  var outstanding: Int { answered.count - first }

  mutating func open(_ out: inout [UInt8]) {
    state = .opening
    let offers =
      "relp_version=0\nrelp_software=audispatch-syslog,\(Release.version)\ncommands=syslog"
    add("open", Array(offers.utf8), &out)
  }

  mutating func send(_ message: [UInt8], _ out: inout [UInt8]) {
    add("syslog", message, &out)
    if outstanding == 0 {
      answered.removeAll(keepingCapacity: true)
      first = 0
      firstNumber = number
    }
    answered.append(false)
  }

  mutating func close(_ out: inout [UInt8]) {
    guard state == .open else { return }
    state = .closing
    add("close", [], &out)
  }

  private mutating func add(_ command: StaticString, _ data: [UInt8], _ out: inout [UInt8]) {
    number = Self.after(number)
    out += "\(number) \(command) \(data.count)".utf8
    if !data.isEmpty {
      out.append(0x20)
      out += data
    }
    out.append(0x0a)
  }

  private static func after(_ number: Int) -> Int { number >= lastNumber ? 1 : number + 1 }

  /// Takes what the server said; how many messages, from the oldest on, are done by it.
  mutating func take(_ bytes: ArraySlice<UInt8>) throws(Violation) -> Int {
    input += bytes
    do throws(Violation) {
      var at = 0
      while let frame = try frame(from: &at) { try take(frame) }
      input.removeFirst(at)
      if input.count > Self.longestAnswer { throw Violation("an answer without an end") }
    } catch {
      var violation = error
      violation.done = settle()
      violation.refused = violation.refused.map { $0 - violation.done }
      throw violation
    }
    return settle()
  }

  /// Lets go of what is answered, from the oldest on; how many that are.
  private mutating func settle() -> Int {
    var done = 0
    while first < answered.count, answered[first] {
      first += 1
      done += 1
      firstNumber = Self.after(firstNumber)
    }
    if first > 1024, first * 2 > answered.count {
      answered.removeFirst(first)
      first = 0
    }
    return done
  }

  private struct Frame {
    var number: Int
    var command: String
    var data: ArraySlice<UInt8>
  }

  /// The next whole frame from a place on, which moves behind it.
  private func frame(from at: inout Int) throws(Violation) -> Frame? {
    var place = at
    func word() throws(Violation) -> ArraySlice<UInt8>? {
      let start = place
      while place < input.count, input[place] != 0x20, input[place] != 0x0a {
        place += 1
        if place - start > 32 { throw Violation("not RELP") }
      }
      return place < input.count ? input[start..<place] : nil
    }
    guard let first = try word() else { return nil }
    guard let number = Self.decimal(first), input[place] == 0x20 else {
      throw Violation("not RELP")
    }
    place += 1
    guard let command = try word() else { return nil }
    guard input[place] == 0x20 else { throw Violation("not RELP") }
    place += 1
    guard let size = try word() else { return nil }
    guard let count = Self.decimal(size), count <= Self.longestAnswer else {
      throw Violation("not RELP")
    }
    if count > 0 {
      guard input[place] == 0x20 else { throw Violation("not RELP") }
      place += 1
    } else if input[place] == 0x20 {
      place += 1
    }
    guard place + count < input.count else { return nil }
    guard input[place + count] == 0x0a else { throw Violation("a frame longer than it says") }
    at = place + count + 1
    return Frame(
      number: number, command: String(decoding: command, as: UTF8.self),
      data: input[place..<place + count])
  }

  private static func decimal(_ text: ArraySlice<UInt8>) -> Int? {
    guard (1...9).contains(text.count), text.allSatisfy({ (0x30...0x39).contains($0) }) else {
      return nil
    }
    return text.reduce(0) { $0 * 10 + Int($1 - 0x30) }
  }

  private mutating func take(_ frame: Frame) throws(Violation) {
    switch frame.command {
    case "serverclose": state = .closed
    case "rsp" where frame.data.isEmpty && state == .closing: state = .closed
    case "rsp":
      let code = frame.data.prefix { $0 != 0x20 && $0 != 0x0a }
      guard code.elementsEqual("200".utf8) else {
        let text = frame.data.prefix { $0 != 0x0a }.prefix(200)
        var violation = Violation("the server refuses: \(SafeText.escaped(text))")
        if state == .open { violation.refused = place(of: frame.number) }
        throw violation
      }
      try answer(frame)
    default: throw Violation("not RELP")
    }
  }

  /// Which of the messages on their way, from the oldest on, has that number and is not answered.
  private func place(of number: Int) -> Int? {
    // Numbers begin again at 1.
    var place = number - firstNumber
    if place < 0 { place += Self.lastNumber }
    return place < outstanding && !answered[first + place] ? place : nil
  }

  private mutating func answer(_ frame: Frame) throws(Violation) {
    switch state {
    case .opening:
      let offers = String(decoding: frame.data, as: UTF8.self).split(separator: "\n")
      let commands = offers.first { $0.hasPrefix("commands=") }?.dropFirst(9).split(separator: ",")
      guard commands?.contains("syslog") == true else {
        throw Violation("the server does not take syslog")
      }
      state = .open
    case .open, .closing:
      if let place = place(of: frame.number) {
        answered[first + place] = true
      } else if state == .closing {
        state = .closed
      } else {
        throw Violation("an answer to what was not sent")
      }
    case .new, .closed: throw Violation("an answer to nothing")
    }
  }
}

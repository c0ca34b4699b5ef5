package import Configuration

/// Everything in front of a message's body.
package struct MessageHeader: Sendable {
  package enum Form: String, CaseIterable, Sendable {
    /// `<14>Nov 20 23:20:03 host tag: `
    case rfc3164
    /// `<14>1 2026-11-20T23:20:03.855Z host tag pid SYSCALL [data] `
    case rfc5424
    /// RFC 3164 without the host, as syslog(3) writes on a socket of its own host.
    case local
  }

  /// What differs from message to message.
  package struct Subject {
    /// Milliseconds since 1970.
    package var milliseconds: UInt64
    /// The host where it happened; `nil` for this one.
    package var node: [UInt8]?
    /// What the message is about, a record type.
    package var name: [UInt8]
    /// Structured data with its brackets; empty for none.
    package var data: [UInt8] = []

    package init(milliseconds: UInt64, node: [UInt8]? = nil, name: [UInt8]) {
      (self.milliseconds, self.node, self.name) = (milliseconds, node, name)
    }
  }

  package let form: Form
  private let priority: [UInt8]
  private let host: [UInt8]
  private let tag: [UInt8]
  private let process: [UInt8]
  private var time: MessageTime

  /// - Parameters:
  ///   - host: the name of this host.
  ///   - process: the PROCID of RFC 5424.
  package init(
    _ form: Form, _ priority: SyslogPriority, host: String, tag: String, process: String,
    isUTC: Bool
  ) {
    self.form = form
    self.priority = Array("<\(priority.number)>".utf8)
    self.host = Self.token(Array(host.utf8), limit: 255)
    self.tag = Self.token(Array(tag.utf8), limit: form == .rfc5424 ? 48 : 64)
    self.process = Self.token(Array(process.utf8), limit: 128)
    time = MessageTime(isUTC ? .utc : .local)
  }

  package mutating func append(_ subject: Subject, to message: inout [UInt8]) {
    message += priority
    switch form {
    case .local, .rfc3164:
      time.appendShort(subject.milliseconds / 1000, to: &message)
      message.append(0x20)
      if form == .rfc3164 {
        message += subject.node.map { Self.token($0, limit: 255) } ?? host
        message.append(0x20)
      }
      message += tag
      message += [UInt8(ascii: ":"), 0x20]
    case .rfc5424:
      message += [UInt8(ascii: "1"), 0x20]
      time.appendLong(subject.milliseconds, to: &message)
      message.append(0x20)
      message += subject.node.map { Self.token($0, limit: 255) } ?? host
      message.append(0x20)
      message += tag
      message.append(0x20)
      message += process
      message.append(0x20)
      message += Self.token(subject.name, limit: 32)
      message.append(0x20)
      if subject.data.isEmpty { message.append(UInt8(ascii: "-")) } else { message += subject.data }
      message.append(0x20)
    }
  }

  /// What a person gives as a name that stands in it.
  package static func name(_ word: Word, limit: Int) throws(Diagnostic) -> String {
    let isToken = word.text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f }
    guard !word.text.isEmpty, word.text.utf8.count <= limit, isToken else {
      throw word.error("a name is visible ASCII without spaces, at most \(limit) bytes")
    }
    return word.text
  }

  /// A word of visible ASCII, as RFC 5424 wants it; `-` when nothing is left.
  package static func token(_ bytes: [UInt8], limit: Int) -> [UInt8] {
    guard !bytes.isEmpty else { return [UInt8(ascii: "-")] }
    return bytes.prefix(limit).map { $0 > 0x20 && $0 < 0x7f ? $0 : UInt8(ascii: "_") }
  }
}

import AuditRecord

extension AuditEvent {
  /// The arguments of a program that was started, from all EXECVE records; `nil` without one.
  ///
  /// An argument that the kernel cut in parts (`a1[0]`, `a1[1]`, also in several records) is put
  /// together again. Arguments beyond the first 100,000 are left out.
  public func arguments() -> [[UInt8]]? {
    var arguments: [[UInt8]] = []
    var found = false
    for record in records where record.type == .execve {
      found = true
      var scanner = FieldScanner(body: record.body, end: record.line.upperBound)
      while let field = scanner.next(bytes.span) {
        guard field.section == .record, let number = argumentNumber(field.name),
          number < 100_000
        else { continue }
        while arguments.count <= number { arguments.append([]) }
        let part = decoded(field, of: record)
        if arguments[number].isEmpty { arguments[number] = part } else { arguments[number] += part }
      }
    }
    return found ? arguments : nil
  }

  /// The command line as the process showed it (`PROCTITLE`), cut by the kernel at 128 bytes.
  public func processTitle() -> [[UInt8]]? {
    guard let record = record(.proctitle), let title = value("proctitle", of: record) else {
      return nil
    }
    return title.split(separator: 0, omittingEmptySubsequences: false).map(Array.init)
  }

  /// The number in `a12` and in `a12[3]`; `nil` for `argc` and `a12_len`.
  private func argumentNumber(_ name: Range<Int>) -> Int? {
    let name = bytes[name]
    guard name.first == UInt8(ascii: "a") else { return nil }
    return Digits.value(name.dropFirst().prefix { $0 != UInt8(ascii: "[") })
  }
}

/// Decimal numbers of at most nine digits.
enum Digits {
  /// The number; `nil` when the text is anything else.
  static func value(_ text: some Collection<UInt8>) -> Int? {
    guard !text.isEmpty, text.count <= 9 else { return nil }
    var value = 0
    for byte in text {
      guard byte &- 0x30 < 10 else { return nil }
      value = value * 10 + Int(byte &- 0x30)
    }
    return value
  }
}

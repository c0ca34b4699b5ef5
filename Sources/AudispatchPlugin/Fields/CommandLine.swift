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
        arguments[number] += decoded(field, of: record)
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

  private func argumentNumber(_ name: Range<Int>) -> Int? {
    let span = bytes.span
    var at = name.lowerBound + 1
    guard span[name.lowerBound] == UInt8(ascii: "a"), at < name.upperBound,
      let number = span.decimal(at: &at, maximumDigits: 6), at <= name.upperBound,
      at == name.upperBound || span[at] == UInt8(ascii: "[")
    else { return nil }
    return Int(number)
  }
}

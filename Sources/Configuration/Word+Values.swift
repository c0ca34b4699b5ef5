import Linux

/// What a value may be. Each of these says what is wrong in the words of who wrote it.
extension Word {
  /// One of a fixed set, in any case.
  public func choice<Choice: CaseIterable & RawRepresentable<String>>(
    _: Choice.Type, for keyword: String
  ) throws(Diagnostic) -> Choice {
    if let choice = Choice(rawValue: text.lowercased()) { return choice }
    let known = Choice.allCases.map(\.rawValue)
    throw error(
      "\(keyword) is one of \(known.joined(separator: ", "))",
      suggestion: Suggestion.near(text, among: known))
  }

  /// `yes` or `no`, in any case.
  public func yesOrNo(for keyword: String) throws(Diagnostic) -> Bool {
    switch text.lowercased() {
    case "yes": return true
    case "no": return false
    default:
      let meant: [String: String] = [
        "true": "yes", "on": "yes", "1": "yes", "y": "yes",
        "false": "no", "off": "no", "0": "no", "n": "no",
      ]
      throw error(
        "\(keyword) is yes or no",
        suggestion: meant[text.lowercased()].map { "did you mean '\($0)'?" }
          ?? Suggestion.near(text, among: ["yes", "no"]))
    }
  }

  /// Digits alone.
  public func number(in range: ClosedRange<Int>, for keyword: String) throws(Diagnostic) -> Int {
    if let number = digits(text), range.contains(number) { return number }
    throw error(
      "\(keyword) is a number from \(range.lowerBound) to \(range.upperBound)",
      suggestion: sized(text, by: 1000).flatMap {
        range.contains($0) ? "did you mean '\($0)'?" : nil
      })
  }

  /// Digits, with K, M, G or T for powers of 1,024.
  public func byteCount(in range: ClosedRange<Int>, for keyword: String) throws(Diagnostic) -> Int {
    if let count = digits(text) ?? sized(text, by: 1024), range.contains(count) { return count }
    throw error(
      "\(keyword) is a number of bytes from \(range.lowerBound) to \(Self.bytes(range.upperBound))",
      suggestion: meantBytes.flatMap {
        range.contains($0) ? "did you mean '\(Self.bytes($0))'?" : nil
      } ?? sized(text, by: 1024).map {
        $0 < range.lowerBound
          ? "the least is \(Self.bytes(range.lowerBound))"
          : "the most is \(Self.bytes(range.upperBound))"
      } ?? "write it as 4096, 64K, 16M or 1G")
  }

  /// A number of MiB, or of bytes with their letter, as auditd's keywords of sizes have it. In
  /// bytes; the range too.
  public func mebibytes(in range: ClosedRange<Int>, for keyword: String) throws(Diagnostic) -> Int {
    if let count = digits(text) {
      let (bytes, overflow) = count.multipliedReportingOverflow(by: 1 << 20)
      if !overflow, range.contains(bytes) { return bytes }
    } else if let count = sized(text, by: 1024), range.contains(count) {
      return count
    }
    throw error(
      "\(keyword) is a number of MiB, or a size from \(Self.bytes(range.lowerBound)) "
        + "to \(Self.bytes(range.upperBound))",
      suggestion: meantBytes.flatMap {
        range.contains($0) ? "did you mean '\(Self.bytes($0))'?" : nil
      } ?? "write it as 8 (MiB), 512K, 8M or 1G")
  }

  /// What `8MB`, `8 MiB` in one word, or `8M` probably means; `nil` for anything else.
  public var meantBytes: Int? {
    let lower = text.lowercased()
    let size =
      lower.hasSuffix("ib")
      ? lower.dropLast(2) : lower.hasSuffix("b") ? lower.dropLast() : lower[...]
    return sized(String(size), by: 1024)
  }

  /// Seconds with up to nine decimals.
  public func seconds(
    in range: ClosedRange<Duration>, for keyword: String
  ) throws(Diagnostic) -> Duration {
    if let duration = Self.duration(text), range.contains(duration) { return duration }
    throw error(
      "\(keyword) is a number of seconds from \(Self.seconds(range.lowerBound)) "
        + "to \(Self.seconds(range.upperBound))",
      suggestion: Self.meantSeconds(text).flatMap {
        range.contains($0) ? "did you mean '\(Self.seconds($0))'?" : nil
      })
  }

  /// A duration with a unit that we do not take, as `7d` or `1ms`.
  private static func meantSeconds(_ text: String) -> Duration? {
    let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
    guard let count = duration(String(digits)) else { return nil }
    switch text.dropFirst(digits.count).drop(while: { $0 == " " }).lowercased() {
    case "us": return count / 1_000_000
    case "ms": return count / 1000
    case "s", "sec": return count
    case "m", "min": return count * 60
    case "h": return count * 3600
    case "d": return count * 86_400
    case "w": return count * (7 * 86_400)
    default: return nil
    }
  }

  /// A path from the root on, without a slash at its end.
  public func absolutePath(for keyword: String) throws(Diagnostic) -> String {
    guard text.hasPrefix("/") else {
      throw error(
        "\(keyword) is an absolute path",
        suggestion: text.contains("/") ? "did you mean '/\(text)'?" : nil)
    }
    return withoutSlash(text)
  }

  private func digits(_ text: some StringProtocol) -> Int? {
    guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
    return Int(text)
  }

  private func sized(_ text: String, by unit: Int) -> Int? {
    let power: Int
    // A dictionary would be made at every start.
    switch text.last {
    case "k", "K": power = 1
    case "m", "M": power = 2
    case "g", "G": power = 3
    case "t", "T": power = 4
    default: return nil
    }
    guard let count = digits(text.dropLast()) else { return nil }
    var size = count
    for _ in 0..<power {
      let (product, overflow) = size.multipliedReportingOverflow(by: unit)
      if overflow { return nil }
      size = product
    }
    return size
  }

  static func duration(_ text: String) -> Duration? {
    let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    guard let whole = parts.first, !whole.isEmpty, whole.utf8.count <= 12,
      whole.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let seconds = Int64(whole)
    else { return nil }
    guard parts.count == 2 else { return .seconds(seconds) }
    let fraction = parts[1]
    guard (1...9).contains(fraction.utf8.count),
      fraction.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
      let nanoseconds = Int64(fraction + String(repeating: "0", count: 9 - fraction.utf8.count))
    else { return nil }
    return .seconds(seconds) + .nanoseconds(nanoseconds)
  }

  /// Seconds as `duration` reads them.
  static func seconds(_ duration: Duration) -> String {
    let (seconds, attoseconds) = duration.components
    guard attoseconds != 0 else { return "\(seconds)" }
    var digits = padded(String(attoseconds / 1_000_000_000), to: 9)
    while digits.hasSuffix("0") { digits.removeLast() }
    return "\(seconds).\(digits)"
  }

  /// Bytes with the largest unit that divides them.
  package static func bytes(_ count: Int) -> String {
    for (shift, unit) in [(40, "T"), (30, "G"), (20, "M"), (10, "K")] {
      if count > 0, count % (1 << shift) == 0 { return "\(count >> shift)\(unit)" }
    }
    return "\(count)"
  }
}

extension Setting {
  /// The value of a keyword that takes one.
  public func single() throws(Diagnostic) -> Word {
    guard values.count == 1 else {
      let extra = values[1]
      throw extra.error(
        "\(keyword.text) takes one value",
        suggestion: extra.text.hasPrefix("#")
          ? "put the comment on a line of its own"
          : "put quotes around a value with spaces")
    }
    return values[0]
  }
}

public import Configuration

/// Less volume: what is taken out of events, and which become one.
public struct VolumeRules: Equatable, Sendable {
  public var redacts = false
  public var redaction = RedactionRules()
  public var aggregation = AggregationRules()

  public init() {}

  /// What finds secrets outside of events; `nil` where none are taken out. Its patterns were tried
  /// when they were read.
  public var finder: SecretFinder? { redacts ? try? SecretFinder(redaction) : nil }

  /// The keywords `redact`, `redact_option`, `redact_pattern`, `aggregate`, `aggregate_differing` of
  /// a plugin whose options have such rules.
  public static func keywords<Options>(
    _ place: any WritableKeyPath<Options, VolumeRules> & Sendable
  ) -> [PluginKeyword<Options>] {
    redactionKeywords(place) + aggregationKeywords(place)
  }

  /// Those of them that take secrets out.
  public static func redactionKeywords<Options>(
    _ place: any WritableKeyPath<Options, VolumeRules> & Sendable
  ) -> [PluginKeyword<Options>] {
    [
      .flag("redact", "take secrets out of arguments of programs (no)") {
        $0[keyPath: place].redacts = $1
      },
      .value("redact_option", "OPTION", "a further option with a secret behind it", repeats: true) {
        (o: inout Options, w: Word) throws(Diagnostic) in
        guard w.text.hasPrefix("-"), !w.text.contains("=") else {
          throw w.error("redact_option is an option with its dashes: --pin")
        }
        o[keyPath: place].redaction.options.append(w.text)
        o[keyPath: place].redacts = true
      },
      .value(
        "redact_pattern", "REGEX", "its first group, or all that it matches, is a secret",
        repeats: true
      ) { (o: inout Options, w: Word) throws(Diagnostic) in
        do throws(SecretPattern.Fault) {
          _ = try SecretPattern(w.text)
        } catch { throw w.error("no POSIX extended regular expression: \(error)") }
        o[keyPath: place].redaction.patterns.append(w.text)
        o[keyPath: place].redacts = true
      },
    ]
  }

  private static func aggregationKeywords<Options>(
    _ place: any WritableKeyPath<Options, VolumeRules> & Sendable
  ) -> [PluginKeyword<Options>] {
    [
      .value("aggregate", "SECONDS", "events alike within that time become one (0: none)") {
        (o: inout Options, w: Word) throws(Diagnostic) in
        o[keyPath: place].aggregation.window = try w.seconds(
          in: .zero...(.seconds(3600)), for: "aggregate")
      },
      .value(
        "aggregate_differing", "FIELD", "may differ, beside time, serial, pid and ppid",
        repeats: true
      ) { (o: inout Options, w: Word) throws(Diagnostic) in
        let isName = w.text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "=") }
        guard !w.text.isEmpty, isName else { throw w.error("no name of a field") }
        o[keyPath: place].aggregation.differing.insert(w.text)
      },
    ]
  }
}

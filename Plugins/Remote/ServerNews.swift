import Linux
import RemoteProtocol

/// What is said of servers: that one takes records, that one was lost and why, that none takes any; of
/// an outage a few times only. A value without a clock.
struct ServerNews {
  /// How often it is said that a server has little room.
  private static let warnEvery = Duration.seconds(60)
  /// How many different reasons of one outage are said.
  private static let reasons = 8

  /// Something to be said, and what to do about it.
  struct Report: Equatable {
    var severity: Severity
    var text: String
    var occasion: RemoteAction.Occasion?
    /// Whether it says that no server takes records.
    var isOutage = false
  }

  private var reports: [Report] = []
  /// Whether it was said that no server takes records, and the reasons that were said since a server
  /// last answered.
  private var isDown = false
  private var saidReasons: Set<String> = []
  /// Whether a server ever answered, and on this connection.
  private var wasHeard = false
  private var saidHeard = false
  private var warnedAt: Duration?

  mutating func take() -> [Report] {
    defer { reports = [] }
    return reports
  }

  /// There is a connection; nothing came over it yet.
  mutating func connected() { saidHeard = false }

  /// The server of this connection has answered.
  ///
  /// - Parameter isFirst: of those that are configured.
  mutating func heard(_ name: String, isFirst: Bool) {
    guard !saidHeard else { return }
    saidHeard = true
    if isDown || !isFirst || !wasHeard { say(.notice, "sending to \(name)") }
    isDown = false
    saidReasons = []
    wasHeard = true
  }

  /// - Parameter tries: in a row, after which it is said that they were in vain.
  mutating func lost(_ name: String, _ loss: Loss, _ outlook: Sender.Outlook, tries: Int) {
    // A server may close a connection that nobody uses; that is no news.
    let isNews = !outlook.wasOfUse || outlook.again > 0 || loss == .ending
    let reason = "\(name): \(loss)"
    if isNews, !isDown || saidReasons.count < Self.reasons && !saidReasons.contains(reason) {
      saidReasons.insert(reason)
      var text = reason
      if outlook.again > 0 {
        text += "; \(outlook.again) records that it did not acknowledge are sent again"
      }
      say(.warning, text, occasion(of: loss))
    }
    if outlook.delay > .zero, !isDown {
      isDown = true
      reports.append(
        Report(severity: .error, text: "no server takes records", isOutage: true))
    }
    if outlook.isExhausted {
      say(
        .error,
        "\(tries) tries in vain, the last with \(reason); records are kept, and it is tried again "
          + "and again", .networkFailure)
    }
  }

  /// The server has stored a record, and warns.
  mutating func warns(_ name: String, _ type: MessageType, _ now: Duration) {
    if let warnedAt, now - warnedAt < Self.warnEvery { return }
    warnedAt = now
    type == .diskLow
      ? say(.warning, "\(name) stores records, but has little room left", .diskLow)
      : say(
        .warning, "\(name) stores records, and warns: 0x\(String(type.rawValue, radix: 16))",
        .genericWarning)
  }

  private func occasion(of loss: Loss) -> RemoteAction.Occasion? {
    switch loss {
    case .refused(.diskFull, _): .diskFull
    case .refused(.diskError, _): .diskError
    case .refused: .genericError
    case .ending: .remoteEnding
    default: wasHeard ? nil : .startupFailure
    }
  }

  private mutating func say(
    _ severity: Severity, _ text: String, _ occasion: RemoteAction.Occasion? = nil
  ) {
    reports.append(Report(severity: severity, text: text, occasion: occasion))
  }
}
